import { useState } from "preact/hooks";
import { type Schemas, api } from "../api";
import { Act } from "../components/act";
import { announce } from "../components/announce";
import { Badge } from "../components/badge";
import { Dialog } from "../components/dialog";
import { CheckField, FieldErrors, Form, TextField } from "../components/form";
import { Head } from "../components/head";
import { Listing } from "../components/listing";
import type { Page } from "./page";

type Service = Schemas["ServiceView"];

export const services: Page = { route: "/services", title: "Services", menu: "Services", view: Services };

function Services() {
  const [editing, setEditing] = useState<Service | "new" | null>(null);
  const [changes, setChanges] = useState(0);

  const done = (code: string) => {
    setEditing(null);
    setChanges(changes + 1);
    announce(`Service ${code} saved`);
  };

  return (
    <>
      <Head title="Services">
        <Act deed="put /admin/services/{code}" class="primary" onClick={() => setEditing("new")}>
          New service
        </Act>
      </Head>
      <p class="lead">What partners can buy numbers for. A service that is off is not listed and not sold.</p>
      <Listing<Service>
        caption="Services"
        deps={[changes]}
        load={async (_, signal) => {
          const page = await api.get("/admin/services", { signal });
          return { rows: page.services, cursor: null };
        }}
        keyOf={(service) => service.code}
        columns={[
          { title: "Code", cell: (service) => <code>{service.code}</code> },
          { title: "Name", cell: (service) => <bdi>{service.name}</bdi> },
          { title: "State", cell: (service) => (service.enabled ? <Badge tone="good">On sale</Badge> : <Badge>Off</Badge>) },
          { title: "After a success", cell: (service) => (service.reusable ? "Sold again" : "Used up") },
          { title: "Cancel limit", cell: (service) => service.cancelLimit ?? "Default", number: true },
          {
            title: "Change",
            cell: (service) => (
              <Act
                deed="put /admin/services/{code}"
                onClick={() => setEditing(service)}
                aria-label={`Change ${service.name}`}
              >
                Change
              </Act>
            ),
          },
        ]}
        empty="No services yet. The first one puts your numbers on sale."
      />
      {editing !== null && (
        <ServiceDialog known={editing === "new" ? null : editing} onDone={done} onClose={() => setEditing(null)} />
      )}
    </>
  );
}

interface ServiceDialogProps {
  readonly known: Service | null;
  readonly onDone: (code: string) => void;
  readonly onClose: () => void;
}

function ServiceDialog({ known, onDone, onClose }: ServiceDialogProps) {
  const [code, setCode] = useState(known?.code ?? "");
  const [name, setName] = useState(known?.name ?? "");
  const [enabled, setEnabled] = useState(known?.enabled ?? true);
  const [reusable, setReusable] = useState(known?.reusable ?? false);
  const [limit, setLimit] = useState(known?.cancelLimit?.toString() ?? "");

  const send = async () => {
    if (!code.trim()) throw new FieldErrors({ code: "Expected 1 to 40 letters, digits and _ . -" });
    if (limit.trim() && !/^\d+$/.test(limit.trim())) {
      throw new FieldErrors({ cancelLimit: "Expected a whole number, or nothing" });
    }
    const saved = await api.put("/admin/services/{code}", {
      path: { code: code.trim() },
      body: { name: name.trim(), enabled, reusable, cancelLimit: limit.trim() ? Number(limit) : null },
    });
    onDone(saved.code);
  };

  return (
    <Dialog title={known ? `Change ${known.name}` : "New service"} onClose={onClose}>
      <Form submit="Save" onSubmit={send} onCancel={onClose}>
        <TextField
          name="code"
          label="Code"
          hint={known ? "The code can't be changed." : "What partners send, such as tg. It can't be changed later."}
          value={code}
          onChange={setCode}
          readOnly={known !== null}
          required
        />
        <TextField name="name" label="Name" value={name} onChange={setName} required />
        <CheckField name="enabled" label="On sale" checked={enabled} onChange={setEnabled} />
        <CheckField
          name="reusable"
          label="Sell a number again after a success"
          hint="Otherwise one success uses up a number for this service."
          checked={reusable}
          onChange={setReusable}
        />
        <TextField
          name="cancelLimit"
          label="Cancel limit"
          hint="At this many cancels a number is no longer sold for this service. Empty: the deployment's default."
          value={limit}
          onChange={setLimit}
          inputMode="numeric"
        />
      </Form>
    </Dialog>
  );
}
