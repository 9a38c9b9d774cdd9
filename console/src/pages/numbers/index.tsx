import { Head } from "../../components/head";
import { hrefTo, place } from "../../router";
import { useStore } from "../../store";
import type { Page } from "../page";
import { SingleNumber } from "./number";
import { PoolNumbers } from "./pool-numbers";
import { Pools, offlineHref } from "./pools";
import { Search } from "./search";

export const numbers: Page = { route: "/numbers", title: "Numbers", menu: "Numbers", view: Numbers };
export const number: Page = { route: "/numbers/:phone", title: "Number", view: SingleNumber };

function Numbers() {
  const { query } = useStore(place);
  const country = query.get("country");
  const offline = query.get("online") === "false";
  // Which numbers are offline can't be asked of an operator.
  const operator = offline ? null : query.get("operator");
  return (
    <>
      <Head title="Numbers">
        <a href={offlineHref(null)}>Offline numbers</a>
        <a href={hrefTo("imports")}>Import numbers</a>
      </Head>
      <Search />
      {country === null && !offline ? (
        <Pools />
      ) : (
        <PoolNumbers
          key={JSON.stringify([country, operator, offline])}
          country={country}
          operator={operator}
          offline={offline}
        />
      )}
    </>
  );
}
