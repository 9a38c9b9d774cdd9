import { useState } from "preact/hooks";
import { type Schemas, api } from "../../api";
import { Act } from "../../components/act";
import { announce } from "../../components/announce";
import { Badge } from "../../components/badge";
import { Confirm } from "../../components/dialog";
import { Fact } from "../../components/facts";
import { STATE_COLUMNS } from "../../components/line-state";
import { Listing, Rows } from "../../components/listing";
import { Time } from "../../components/time";
import { count, plural } from "../../figures";
import { hrefTo } from "../../router";

type Device = Schemas["DeviceView"];
type DeviceLine = Schemas["DeviceLineView"];

// One may have a thousand: so many are shown, the others on request.
const MAX_LINES = 32;

interface DevicesProps {
  readonly sourceId: string;
  /** They are read again when one of these changes. */
  readonly deps: readonly unknown[];
  /** Called with the name of a line that is to be mapped. */
  readonly onMap: (line: string) => void;
}

/** The devices of a source that have reported, and what each says of its lines. */
export function Devices({ sourceId, deps, onMap }: DevicesProps) {
  const [forgetting, setForgetting] = useState<string | null>(null);
  const [changes, setChanges] = useState(0);
  return (
    <section aria-labelledby="devices">
      <h3 id="devices">Devices</h3>
      <p class="lead">
        What they say of their lines. A number whose line is offline is not sold. A SIM whose number is sold has to stay
        in its place until then.
      </p>
      <Listing<Device>
        deps={[sourceId, changes, ...deps]}
        load={async (cursor, signal) => {
          const path = { sourceId };
          const page = await api.get("/admin/sources/{sourceId}/devices", { path, query: { cursor }, signal });
          return { rows: page.devices, cursor: page.cursor };
        }}
        keyOf={({ device }) => device}
        cards={(devices) =>
          devices.map((device) => (
            <DeviceCard
              key={device.device}
              device={device}
              open={devices.length === 1}
              onMap={onMap}
              onForget={() => setForgetting(device.device)}
            />
          ))
        }
        empty="No device has reported yet. While nothing says that a line is offline, its number is sold."
      />
      {forgetting !== null && (
        <Confirm
          title={`Forget ${forgetting}?`}
          action="Forget"
          onConfirm={async () => {
            const path = { sourceId, device: forgetting };
            await api.delete("/admin/sources/{sourceId}/devices/{device}", { path });
            setChanges(changes + 1);
            announce(`Device ${forgetting} forgotten`);
          }}
          onClose={() => setForgetting(null)}
        >
          <p>
            For a device that is gone: what it said of its lines counts no more, and their numbers are sold unless another
            device says that they are offline. If it reports again, it is here again.
          </p>
        </Confirm>
      )}
    </section>
  );
}

interface DeviceCardProps {
  readonly device: Device;
  /** Whether its lines are shown to begin with. */
  readonly open: boolean;
  readonly onMap: (line: string) => void;
  readonly onForget: () => void;
}

function DeviceCard({ device, open, onMap, onForget }: DeviceCardProps) {
  const [shown, setShown] = useState(open);
  const { device: name, reportedAt, goodUntil, silentSince, lines } = device;
  return (
    <div class="card">
      <h4>
        <span class="foreign">{name}</span>
      </h4>
      <dl class="facts number-facts">
        <Fact name="Last reported">
          <Time at={reportedAt} />
        </Fact>
        <Fact name="Good until">{goodUntil === null ? "Its next report" : <Time at={goodUntil} />}</Fact>
        {silentSince !== null && (
          <Fact name="Silent since">
            <Badge tone="bad">Silent</Badge> <Time at={silentSince} />
          </Fact>
        )}
      </dl>
      <details class="as-table" open={shown} onToggle={(event) => setShown(event.currentTarget.open)}>
        <summary>{countsInWords(lines)}</summary>
        {shown && lines.length > 0 && <DeviceLines device={name} lines={lines} onMap={onMap} />}
      </details>
      <div class="buttons">
        <Act
          deed="delete /admin/sources/{sourceId}/devices/{device}"
          class="small"
          onClick={onForget}
          aria-label={`Forget ${name}`}
        >
          Forget
        </Act>
      </div>
    </div>
  );
}

interface DeviceLinesProps {
  readonly device: string;
  readonly lines: readonly DeviceLine[];
  readonly onMap: (line: string) => void;
}

/** The lines of a device, first those to look after. */
function DeviceLines({ device, lines, onMap }: DeviceLinesProps) {
  const [all, setAll] = useState(false);
  const ordered = STATES.flatMap(([, online]) => lines.filter((line) => line.online === online));
  const rows = all ? ordered : ordered.slice(0, MAX_LINES);
  return (
    <>
      <Rows<DeviceLine>
        caption={`Lines of ${device}`}
        rows={rows}
        keyOf={({ line }) => line}
        columns={[
          { title: "Line", cell: ({ line }) => <span class="foreign">{line}</span> },
          { title: "SIM", cell: ({ sim }) => (sim === null ? "–" : <span class="foreign">{sim}</span>) },
          { title: "Number", cell: (line) => <LineNumber device={device} line={line} onMap={onMap} /> },
          ...STATE_COLUMNS,
        ]}
      />
      {rows.length < lines.length && (
        <button type="button" onClick={() => setAll(true)}>
          {count(lines.length - rows.length)} more
        </button>
      )}
    </>
  );
}

interface LineNumberProps {
  readonly device: string;
  readonly line: DeviceLine;
  readonly onMap: (line: string) => void;
}

/** Which number a line is; one that nobody mapped can be, by its SIM, which may move, or by its place. */
function LineNumber({ device, line: { line, sim, phone }, onMap }: LineNumberProps) {
  if (phone !== null) return <a href={hrefTo("numbers", phone)}>{phone}</a>;
  return (
    <div class="buttons">
      <Badge tone="warn">Not mapped</Badge>
      {sim !== null && <MapButton title="Map SIM" name={sim} device={device} onMap={onMap} />}
      <MapButton title={sim === null ? "Map" : "Map place"} name={line} device={device} onMap={onMap} />
    </div>
  );
}

interface MapButtonProps {
  readonly title: string;
  readonly name: string;
  readonly device: string;
  readonly onMap: (line: string) => void;
}

function MapButton({ title, name, device, onMap }: MapButtonProps) {
  return (
    <Act
      deed="patch /admin/sources/{sourceId}/lines"
      class="small"
      aria-label={`${title} ${name} of ${device}`}
      onClick={() => onMap(name)}
    >
      {title}
    </Act>
  );
}

const STATES: readonly (readonly [name: string, online: boolean | null])[] = [
  ["offline", false],
  ["unknown", null],
  ["online", true],
];

/** Return how many lines there are, and how many of them in each state: `16 lines: 2 offline, 14 online`. */
function countsInWords(lines: readonly DeviceLine[]): string {
  const counts = STATES.map(([name, online]) => [name, lines.filter((line) => line.online === online).length] as const);
  const told = counts.filter(([, size]) => size > 0).map(([name, size]) => `${count(size)} ${name}`);
  return [plural(lines.length, "line"), told.join(", ")].filter(Boolean).join(": ");
}
