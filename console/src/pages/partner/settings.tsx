import { useEffect, useState } from "preact/hooks";
import { type Schemas, api } from "../../api";
import { announce } from "../../components/announce";
import { Form } from "../../components/form";
import { Success, Warning } from "../../components/status";
import type { Data } from "../../data";
import { ApiError } from "../../http";
import { Conflict, type FieldChange, changesBetween } from "./conflict";
import { type Draft, changesIn, check, draftOf, warningInWords } from "./draft";
import { PartnerFields } from "./fields";

type Partner = Schemas["PartnerView"];

const CONFLICT = 409;

interface SettingsProps {
  readonly known: Partner;
  readonly dialects: Data<Schemas["DialectList"]>;
  readonly onChanged: () => void;
}

/** What is set about a partner, while others may change it too. */
export function Settings({ known, dialects, onChanged }: SettingsProps) {
  const form = useSettings(known, onChanged);
  return (
    <section class="card">
      <h2>Settings</h2>
      <Form
        submit={form.conflict.length ? "Save mine" : "Save"}
        onSubmit={form.save}
        label="Settings"
        deed="patch /admin/partners/{partnerId}"
      >
        <PartnerFields draft={form.draft} onChange={form.edit} dialects={dialects} />
        {form.conflict.length > 0 && (
          <Conflict changes={form.conflict} isEdited={form.isEdited} onTakeTheirs={form.takeTheirs} />
        )}
        {form.report !== null && <Success>{form.report}</Success>}
        {form.warning !== null && <Warning>{form.warning}</Warning>}
      </Form>
    </section>
  );
}

function useSettings(known: Partner, onChanged: () => void) {
  // What the draft is compared with.
  const [base, setBase] = useState(known);
  const [draft, setDraft] = useState(() => draftOf(known));
  const [conflict, setConflict] = useState<readonly FieldChange[]>([]);
  const [report, setReport] = useState<string | null>(null);
  const [warning, setWarning] = useState<string | null>(null);
  const isEdited = Object.keys(changesIn(draft, draftOf(base))).length > 0;

  const startWith = (partner: Partner) => {
    setBase(partner);
    setDraft(draftOf(partner));
    setConflict([]);
  };

  useEffect(() => {
    // Changes by others just appear, unless they would overwrite what was typed.
    if (known.version > base.version && !isEdited) startWith(known);
  }, [known]);

  const save = async () => {
    setReport(null);
    setWarning(null);
    check(draft);
    const changes = changesIn(draft, draftOf(base));
    if (Object.keys(changes).length === 0) {
      setConflict([]);
      setReport("Nothing to save.");
      return;
    }
    const path = { partnerId: base.partnerId };
    try {
      const body = { ...changes, version: base.version };
      const saved = await api.patch("/admin/partners/{partnerId}", { path, body });
      startWith(saved);
      setReport("Saved.");
      setWarning(warningInWords(saved.offerWarning));
      onChanged();
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== CONFLICT) throw error;
      const now = await api.get("/admin/partners/{partnerId}", { path });
      if (now.revoked) onChanged();
      if (now.revoked || now.version === base.version) throw error;
      setConflict(changesBetween(base, now, draft));
      // What was typed stays, to be saved over theirs; the rest of the form is theirs.
      setDraft({ ...draftOf(now), ...fieldsAmong(changes, draft) });
      setBase(now);
    }
  };

  return {
    draft,
    conflict,
    report,
    warning,
    isEdited,
    save,
    edit: (edited: Draft) => {
      setDraft(edited);
      setReport(null);
    },
    takeTheirs: () => {
      startWith(base);
      onChanged();
      announce("The form shows what is saved");
    },
  };
}

/** Return the fields of a draft that are to be changed. */
function fieldsAmong(changes: object, draft: Draft): Partial<Draft> {
  return Object.fromEntries(Object.entries(draft).filter(([name]) => name in changes));
}
