import type { ComponentChildren } from "preact";
import { useMemo, useState } from "preact/hooks";
import { type Schemas, api } from "../api";
import { Badge } from "../components/badge";
import { Rows } from "../components/listing";
import { Plot, type Series } from "../components/plot";
import { Loaded, UpdatedAt } from "../components/status";
import { Time } from "../components/time";
import { usePolling } from "../data";
import { DURATION_STEPS, WHOLE_STEPS, count, duration, share } from "../figures";
import { hrefTo, place } from "../router";
import { useStore } from "../store";
import type { Page } from "./page";

type Statistics = Schemas["StatisticsView"];
type Hour = Schemas["HourView"];
type Outcome = "success" | "live" | "canceled" | "returned" | "prohibited" | "unfinished";

// How often it is read again (s); it is measured once a minute.
const REFRESH_EVERY = 30;
const SPANS: readonly (readonly [hours: number, name: string])[] = [
  [24, "24 hours"],
  [168, "7 days"],
  [720, "30 days"],
];
// In the order of the stacked plot, the lowest first.
const OUTCOMES: readonly (readonly [field: Outcome, name: string])[] = [
  ["success", "Success"],
  ["live", "Live"],
  ["canceled", "Canceled"],
  ["returned", "Returned"],
  ["prohibited", "Prohibited"],
  ["unfinished", "Expired"],
];

export const overview: Page = { route: "/overview", title: "Overview", menu: "Overview", view: Overview };

function Overview() {
  const { query } = useStore(place);
  const asked = Number(query.get("hours"));
  const [hours, span] = SPANS.find(([of]) => of === asked) ?? [24, "24 hours"];
  const data = usePolling<Statistics>(
    (signal) => api.get("/admin/statistics", { query: { hours: String(hours) }, signal }),
    REFRESH_EVERY,
    [hours],
  );
  return (
    <>
      <div class="head">
        <h1>Overview</h1>
        <nav aria-label="Period" class="spans">
          {SPANS.map(([of, name]) => (
            <a key={of} href={`${hrefTo("overview")}?hours=${of}`} aria-current={of === hours ? "true" : undefined}>
              {name}
            </a>
          ))}
        </nav>
      </div>
      <Loaded data={data}>{(statistics) => <Figures statistics={statistics} span={span} />}</Loaded>
      {data.value && <UpdatedAt at={data.updatedAt} loading={data.loading} />}
    </>
  );
}

function Figures({ statistics, span }: { statistics: Statistics; span: string }) {
  const { stock, pushes, totals } = statistics;
  const ended = totals.started - totals.live;
  const oldest = pushes.oldestPendingAt === null ? null : Math.max(0, Date.now() - Date.parse(pushes.oldestPendingAt));
  // Red only when the table below says for whom.
  const trouble = statistics.partnersInTrouble.length > 0 ? "bad" : undefined;
  return (
    <>
      {statistics.measuredAt === null && (
        <p class="quiet" role="status">
          Some figures are not measured yet; that happens once a minute.
        </p>
      )}
      <div class="tiles">
        <Tile title="Numbers now">
          <Figure name="Free" value={count(stock.free)} large />
          <Figure name="Held" value={count(stock.held)} />
          <Figure name="On sale" value={count(stock.numbers)} />
        </Tile>
        <Tile title={`Activations, ${span}`}>
          <Figure name="Started" value={count(totals.started)} large />
          <Figure name="Live" value={count(totals.live)} />
          <Figure name="Success rate of those ended" value={share(totals.success, ended)} />
        </Tile>
        <Tile title={`Pushes, ${span}`}>
          <Figure name="Delivered" value={count(totals.delivered)} large />
          <Figure name="Time to deliver, p50" value={time(totals.timeToDeliverP50Ms)} />
          <Figure name="Time to deliver, p99" value={time(totals.timeToDeliverP99Ms)} />
        </Tile>
        <Tile title="Pushes now">
          <Figure name="Waiting over 45 s" value={<span class={trouble}>{count(pushes.waiting)}</span>} large />
          <Figure name="Oldest waiting for" value={oldest === null ? "–" : duration(oldest)} />
          <Figure
            name="Partners in trouble"
            value={<span class={trouble}>{count(statistics.partnersInTrouble.length)}</span>}
          />
        </Tile>
      </div>
      <Trouble partners={statistics.partnersInTrouble} />
      <OverLimit partners={statistics.partnersOverOutcomeLimit} />
      <Plots statistics={statistics} span={span} />
      <Table hours={statistics.hours} />
    </>
  );
}

function Tile({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <section class="card tile" aria-label={title}>
      <h2>{title}</h2>
      <dl class="figures">{children}</dl>
    </section>
  );
}

function Figure({ name, value, large = false }: { name: string; value: ComponentChildren; large?: boolean }) {
  return (
    <div class={large ? "large" : undefined}>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

function Trouble({ partners }: { partners: Statistics["partnersInTrouble"] }) {
  if (partners.length === 0) return null;
  return (
    <section aria-labelledby="trouble" class="trouble">
      <h2 id="trouble">Partners in trouble</h2>
      <Rows
        caption="Partners in trouble"
        rows={partners}
        keyOf={(partner) => partner.partnerId}
        columns={[
          {
            title: "Partner",
            cell: (partner) => (
              <a class="foreign" href={hrefTo("partners", partner.partnerId)}>
                {partner.name}
              </a>
            ),
          },
          { title: "SMS waiting", cell: (partner) => <Badge tone="bad">{count(partner.waiting)}</Badge> },
          { title: "Oldest waiting since", cell: (partner) => <Time at={partner.oldestPendingAt} /> },
          {
            title: "Last delivered push",
            cell: (partner) => (partner.lastSuccessAt === null ? "Never" : <Time at={partner.lastSuccessAt} />),
          },
        ]}
      />
    </section>
  );
}

function OverLimit({ partners }: { partners: Statistics["partnersOverOutcomeLimit"] }) {
  if (partners.length === 0) return null;
  return (
    <section aria-labelledby="over-limit" class="trouble">
      <h2 id="over-limit">Outcomes over the limit</h2>
      <Rows
        caption="Outcomes over the limit"
        rows={partners}
        keyOf={(partner) => partner.partnerId}
        columns={[
          {
            title: "Partner",
            cell: (partner) => (
              <a class="foreign" href={hrefTo("partners", partner.partnerId)}>
                {partner.name}
              </a>
            ),
          },
          {
            title: "Prohibited or canceled",
            cell: ({ outcomes }) =>
              share(
                outcomes.prohibited + outcomes.canceled,
                outcomes.prohibited + outcomes.success + outcomes.canceled + outcomes.returned,
              ),
          },
          { title: "Canceled or returned after SMS", cell: ({ outcomes }) => share(outcomes.takenBack, outcomes.delivered) },
        ]}
      />
    </section>
  );
}

function Plots({ statistics, span }: { statistics: Statistics; span: string }) {
  const { totals } = statistics;
  const plotted = useMemo(() => {
    const of = (field: Exclude<keyof Hour, "at">) => statistics.hours.map((hour) => hour[field]);
    return {
      hours: statistics.hours.map(({ at }) => Date.parse(at) / 1000),
      outcomes: OUTCOMES.map(([field, name]): Series => ({ name, colour: field, values: of(field) })),
      delivered: [{ name: "Delivered", colour: "success", values: of("delivered") }],
      times: [
        { name: "p50", colour: "live", values: of("timeToDeliverP50Ms") },
        { name: "p99", colour: "returned", values: of("timeToDeliverP99Ms") },
      ],
    };
  }, [statistics]);

  return (
    <>
      <Plot
        title="Activations per hour"
        hours={plotted.hours}
        series={plotted.outcomes}
        kind="stacked"
        format={count}
        steps={WHOLE_STEPS}
        totals={Object.fromEntries(OUTCOMES.map(([field, name]) => [name, count(totals[field])]))}
        span={span}
      />
      <div class="plots">
        <Plot
          title="SMS delivered per hour"
          hours={plotted.hours}
          series={plotted.delivered}
          kind="stacked"
          format={count}
          steps={WHOLE_STEPS}
          totals={{ Delivered: count(totals.delivered) }}
          span={span}
        />
        <Plot
          title="Time to deliver"
          hours={plotted.hours}
          series={plotted.times}
          kind="lines"
          format={duration}
          steps={DURATION_STEPS}
          totals={{ p50: time(totals.timeToDeliverP50Ms), p99: time(totals.timeToDeliverP99Ms) }}
          span={span}
        />
      </div>
    </>
  );
}

/** The plots as figures: hours with activity, newest first. */
function Table({ hours }: { hours: readonly Hour[] }) {
  const [open, setOpen] = useState(false);
  const active = open ? hours.filter((hour) => hour.started > 0 || hour.delivered > 0).reverse() : [];
  return (
    <details class="as-table" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>As a table</summary>
      {open && active.length === 0 && <p class="empty">Nothing happened in this period.</p>}
      {active.length > 0 && (
        <Rows<Hour>
          caption="Hours with activity, newest first"
          rows={active}
          keyOf={({ at }) => at}
          columns={[
            { title: "Hour starting", cell: ({ at }) => <Time at={at} /> },
            { title: "Started", cell: ({ started }) => count(started), number: true },
            ...OUTCOMES.map(([field, name]) => ({ title: name, cell: (hour: Hour) => count(hour[field]), number: true })),
            { title: "Delivered", cell: ({ delivered }) => count(delivered), number: true },
            { title: "p50", cell: ({ timeToDeliverP50Ms }) => time(timeToDeliverP50Ms), number: true },
            { title: "p99", cell: ({ timeToDeliverP99Ms }) => time(timeToDeliverP99Ms), number: true },
          ]}
        />
      )}
    </details>
  );
}

function time(ms: number | null): string {
  return ms === null ? "–" : duration(ms);
}
