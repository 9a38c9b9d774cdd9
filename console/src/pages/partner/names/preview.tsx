import type { Schemas } from "../../../api";
import { shortened } from "../../../components/exchange-details";
import { Loaded, UpdatedAt } from "../../../components/status";
import type { Data } from "../../../data";

interface PreviewProps {
  readonly partner: Schemas["PartnerView"];
  readonly data: Data<Schemas["PreviewView"]>;
}

/** What a partner that asks for counts is answered now. */
export function Preview({ partner, data }: PreviewProps) {
  return (
    <section class="preview-section" aria-labelledby="preview">
      <div class="head">
        <h2 id="preview">Preview</h2>
        <div class="buttons">
          <button type="button" aria-disabled={data.loading} onClick={data.reload}>
            {data.loading ? "One moment…" : "Refresh"}
          </button>
        </div>
      </div>
      <Loaded data={data}>
        {({ action, answer }) => (
          <>
            <p class="lead">
              What <bdi>{partner.name}</bdi> is answered to <code>{action}</code> now.
            </p>
            <pre class="foreign preview" tabIndex={0} role="region" aria-label={`Answer to ${action}`}>
              {shortened(JSON.stringify(answer, null, 2))}
            </pre>
            <UpdatedAt at={data.updatedAt} loading={data.loading} />
          </>
        )}
      </Loaded>
    </section>
  );
}
