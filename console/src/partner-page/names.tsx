import { useState } from "preact/hooks";
import { useStore } from "../store";
import type { Names } from "./forms";
import { Input } from "./input";
import { holder } from "./key";

type Row = readonly [kind: string, name: string, country: string];

// As many are shown at once.
const MAX_ROWS = 200;

/** The names that the partner uses, to be searched. */
export function OwnNames() {
  const held = useStore(holder);
  const [text, setText] = useState("");
  const names = held?.names;
  if (!names) {
    return (
      <p>
        Countries, operators and services are called as <a href="#services">GET_SERVICES</a> lists them. If names of your
        own were agreed, they are here{" "}
        <strong>
          with <a href="#key">your key</a>
        </strong>
        .
      </p>
    );
  }
  const rows = rowsOf(names);
  const others = names.unmapped === "hide" ? "Others are not for sale to you." : "Others are called as we call them.";
  if (rows.length === 0) return <p>No names of your own were agreed. {others}</p>;
  const found = rows.filter((row) => row.some((cell) => cell.toLowerCase().includes(text.trim().toLowerCase())));
  return (
    <>
      <p>
        Agreed with you, in GET_SERVICES and GET_NUMBER alike. {others} What is for sale now is in{" "}
        <a href="#services">GET_SERVICES</a>.
      </p>
      <Input id="own-names" label="Find a name" value={text} onChange={setText} />
      <p class="quiet" role="status">
        {found.length} of {rows.length}
        {found.length > MAX_ROWS && `, the first ${MAX_ROWS} shown`}
      </p>
      <div class="scroll" tabIndex={0} role="region" aria-label="Your names, in a table">
        <table class="plain-table">
          <thead>
            <tr>
              <th scope="col">Kind</th>
              <th scope="col">Name</th>
              <th scope="col">In</th>
            </tr>
          </thead>
          <tbody>
            {found.slice(0, MAX_ROWS).map(([kind, name, country]) => (
              <tr key={JSON.stringify([kind, country, name])}>
                <td>{kind}</td>
                <td>
                  <code class="foreign">{name}</code>
                </td>
                <td>
                  <bdi>{country}</bdi>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}

function rowsOf({ countries, operators, services }: Names): readonly Row[] {
  return [
    ...countries.map((name): Row => ["Country", name, ""]),
    ...Object.entries(operators).flatMap(([country, names]) => names.map((name): Row => ["Operator", name, country])),
    ...services.map((name): Row => ["Service", name, ""]),
  ];
}
