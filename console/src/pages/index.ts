// Every page, in the order of the menu. A page is its module or folder and its line here.

import type { Page } from "./page";
import { account } from "./account";
import { activation } from "./activation";
import { activations } from "./activations";
import { audit } from "./audit";
import { importJob, importJobs } from "./import-jobs";
import { number, numbers } from "./numbers";
import { overview } from "./overview";
import { partner } from "./partner";
import { partnerNames } from "./partner/names";
import { partners } from "./partners";
import { services } from "./services";
import { source, sources } from "./sources";
import { staffPage } from "./staff";
import { tryIt, tryItIsOff } from "./try";
import { incomplete, unclaimed, unreadable, waiting } from "./unclaimed";

export const pages: readonly Page[] = [
  overview,
  partners,
  partner,
  partnerNames,
  numbers,
  number,
  importJobs,
  importJob,
  services,
  sources,
  source,
  unclaimed,
  waiting,
  incomplete,
  unreadable,
  activations,
  activation,
  audit,
  staffPage,
  tryIt,
  tryItIsOff,
  account,
];
