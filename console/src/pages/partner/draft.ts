import type { Schemas } from "../../api";
import { FieldErrors } from "../../components/form";
import { type Chosen, NOTHING_CHOSEN, chosenOf, overridesOf } from "./switches";

type Partner = Schemas["PartnerView"];
export type Dialect = NonNullable<Schemas["NewPartner"]["dialect"]>;

/** A partner as the form has it. */
export interface Draft {
  readonly name: string;
  readonly pushUrl: string;
  /** Codes in order, null for all services. */
  readonly services: readonly string[] | null;
  readonly dialect: Dialect;
  readonly overrides: Chosen;
  /** Empty for the deployment's limit. */
  readonly maxLive: string;
  /** What it is shown of what is free; both empty for all. */
  readonly offer: { readonly percent: string; readonly most: string };
}

export const EMPTY_DRAFT: Draft = {
  name: "",
  pushUrl: "",
  services: null,
  dialect: "globalconnect",
  overrides: NOTHING_CHOSEN,
  maxLive: "",
  offer: { percent: "", most: "" },
};

/** Return a partner as the form has it. */
export function draftOf(partner: Partner): Draft {
  return {
    name: partner.name,
    pushUrl: partner.pushUrl ?? "",
    services: partner.services && [...partner.services].sort(),
    dialect: partner.dialect as Dialect,
    overrides: chosenOf(partner.overrides),
    maxLive: partner.maxLive?.toString() ?? "",
    offer: { percent: partner.offer?.percent?.toString() ?? "", most: partner.offer?.most?.toString() ?? "" },
  };
}

/** Return the fields of `draft` that differ from `known`, as the API takes them. */
export function changesIn(draft: Draft, known: Draft): Partial<ReturnType<typeof fieldsOf>> {
  const now = fieldsOf(draft);
  const before = fieldsOf(known);
  return {
    ...(now.name !== before.name && { name: now.name }),
    ...(now.pushUrl !== before.pushUrl && { pushUrl: now.pushUrl }),
    ...(!sameServices(now.services, before.services) && { services: now.services }),
    ...(now.dialect !== before.dialect && { dialect: now.dialect }),
    ...(!same(now.overrides, before.overrides) && { overrides: now.overrides }),
    ...(now.maxLive !== before.maxLive && { maxLive: now.maxLive }),
    ...(!same(now.offer, before.offer) && { offer: now.offer }),
  };
}

/** Return the fields of a draft as the API takes them. */
export function fieldsOf(draft: Draft) {
  const { percent, most } = draft.offer;
  const offer = { ...(percent.trim() && { percent: Number(percent) }), ...(most.trim() && { most: Number(most) }) };
  return {
    name: draft.name.trim(),
    pushUrl: draft.pushUrl.trim() || null,
    services: draft.services && [...draft.services],
    dialect: draft.dialect,
    overrides: overridesOf(draft.overrides),
    maxLive: draft.maxLive.trim() ? Number(draft.maxLive) : null,
    offer: Object.keys(offer).length ? offer : null,
  };
}

/** Throw FieldErrors when a draft can't be sent. */
export function check(draft: Draft): void {
  if (!draft.name.trim()) throw new FieldErrors({ name: "Enter the partner's name." });
  const numbers = {
    maxLive: draft.maxLive,
    "offer.percent": draft.offer.percent,
    "offer.most": draft.offer.most,
    "overrides.gzipFrom": draft.overrides.gzipFrom,
  };
  const wrong = Object.entries(numbers).filter(([, text]) => !/^\d*$/.test(text.trim()));
  if (wrong.length === 0) return;
  throw new FieldErrors(Object.fromEntries(wrong.map(([name]) => [name, "Expected a whole number, or nothing"])));
}

/** Return the codes of services as a text. */
export function servicesInWords(services: readonly string[] | null): string {
  if (services === null) return "All services";
  return services.length ? services.join(", ") : "None";
}

/** Return what a partner is shown of what is free, as a text. */
export function offerInWords({ percent, most }: Draft["offer"]): string {
  const limits = [percent && `${percent} %`, most && `at most ${most}`].filter(Boolean);
  return limits.join(", ") || "All that is free";
}

/** Return what the API warns of an offer as a sentence, null for nothing. */
export function warningInWords(warning: string | null): string | null {
  const text = warning?.replace(/^offer: /, "");
  return text ? `${text.charAt(0).toUpperCase()}${text.slice(1)}.` : null;
}

function sameServices(one: readonly string[] | null, other: readonly string[] | null): boolean {
  if (one === null || other === null) return one === other;
  return one.length === other.length && one.every((code) => other.includes(code));
}

/** Return whether two values that were made alike are the same. */
function same(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
