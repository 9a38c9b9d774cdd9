import { useState } from "preact/hooks";
import { useAction } from "../../action";
import { announce } from "../../components/announce";
import { FieldErrors, Form, SelectField } from "../../components/form";
import { hrefTo } from "../../router";
import { ANY, type Stock, refreshStock, takeNumber } from "./trial";

export function NumberForm({ stock }: { stock: Stock }) {
  const [country, setCountry] = useState(first(stock.keys()));
  const [operator, setOperator] = useState(ANY);
  const [picked, setPicked] = useState("");
  const services = servicesOf(stock, country, operator);
  const service = services.has(picked) ? picked : bestOf(services);

  const take = async () => {
    if (!service) throw new FieldErrors({ service: "No service is on sale here." });
    if (await takeNumber(country, operator, service)) return;
    throw new FieldErrors({ service: "No number is left for it. Choose another, or refresh what is for sale." });
  };

  if (stock.size === 0) return <NothingForSale />;
  return (
    <>
      <Form submit="Take a number" onSubmit={take} label="Take a number">
        <div class="filters">
          <SelectField
            name="country"
            label="Country"
            value={country}
            options={[...stock.keys()].map((name) => [name, name])}
            onChange={(name) => {
              setCountry(name);
              setOperator(ANY);
            }}
          />
          <SelectField
            name="operator"
            label="Operator"
            value={operator}
            options={[[ANY, "Any"], ...[...(stock.get(country)?.keys() ?? [])].map((name) => [name, name] as const)]}
            onChange={setOperator}
          />
          <SelectField
            name="service"
            label="Service"
            value={service}
            options={[...services].map(([code, count]) => [code, `${code} (${count})`])}
            onChange={setPicked}
          />
        </div>
      </Form>
      <RefreshStock />
    </>
  );
}

function NothingForSale() {
  return (
    <>
      <p>
        Nothing is for sale to this key. Add <a href={hrefTo("numbers")}>numbers</a> and put a{" "}
        <a href={hrefTo("services")}>service</a> on sale first.
      </p>
      <RefreshStock />
    </>
  );
}

export function RefreshStock() {
  const refresh = useAction(async () => {
    await refreshStock();
    announce("Refreshed");
  });
  return (
    <p class="refresh-stock">
      <button type="button" aria-disabled={refresh.busy} onClick={() => refresh.run()}>
        Refresh what is for sale
      </button>
      {refresh.error !== null && <span role="alert">{refresh.error}</span>}
    </p>
  );
}

/** Return the counts by service of an operator, or of all of a country's. */
function servicesOf(stock: Stock, country: string, operator: string): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const [name, services] of stock.get(country) ?? []) {
    if (operator !== ANY && name !== operator) continue;
    for (const [code, count] of services) counts.set(code, (counts.get(code) ?? 0) + count);
  }
  return new Map([...counts].sort(([one], [other]) => one.localeCompare(other)));
}

/** Return the first service with numbers, else the first. */
function bestOf(services: ReadonlyMap<string, number>): string {
  return [...services].find(([, count]) => count > 0)?.[0] ?? first(services.keys());
}

function first(names: Iterable<string>): string {
  return [...names][0] ?? "";
}
