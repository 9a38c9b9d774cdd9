// Every page, in the order of the menu: overview, partners, numbers, imports, services, sources, unclaimed, activations,
// audit, try. A page is its module and its line here.

import type { Page } from "./page";
import { activation } from "./activation";
import { activations } from "./activations";
import { audit } from "./audit";
import { imports, oneImport } from "./imports";
import { numbers, oneNumber } from "./numbers";
import { overview } from "./overview";
import { partner } from "./partner";
import { partners } from "./partners";
import { services } from "./services";
import { sources } from "./sources";
import { tryIt, tryItIsOff } from "./try";
import { unclaimed, unreadable } from "./unclaimed";

export const pages: readonly Page[] = [
  overview,
  partners,
  partner,
  numbers,
  oneNumber,
  imports,
  oneImport,
  services,
  sources,
  unclaimed,
  unreadable,
  activations,
  activation,
  audit,
  tryIt,
  tryItIsOff,
];
