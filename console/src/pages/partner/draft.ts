import type { Schemas } from "../../api";
import { FieldErrors } from "../../components/form";

type Partner = Schemas["PartnerView"];
export type Dialect = NonNullable<Schemas["NewPartner"]["dialect"]>;

/** A partner as the form has it. */
export interface Draft {
  readonly name: string;
  readonly pushUrl: string;
  /** Codes in order, null for all services. */
  readonly services: readonly string[] | null;
  readonly dialect: Dialect;
  /** Empty for the deployment's limit. */
  readonly maxLive: string;
}

export const EMPTY_DRAFT: Draft = { name: "", pushUrl: "", services: null, dialect: "globalconnect", maxLive: "" };

/** Return a partner as the form has it. */
export function draftOf(partner: Partner): Draft {
  return {
    name: partner.name,
    pushUrl: partner.pushUrl ?? "",
    services: partner.services && [...partner.services].sort(),
    dialect: partner.dialect as Dialect,
    maxLive: partner.maxLive?.toString() ?? "",
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
    ...(now.maxLive !== before.maxLive && { maxLive: now.maxLive }),
  };
}

/** Return the fields of a draft as the API takes them. */
export function fieldsOf(draft: Draft) {
  return {
    name: draft.name.trim(),
    pushUrl: draft.pushUrl.trim() || null,
    services: draft.services && [...draft.services],
    dialect: draft.dialect,
    maxLive: draft.maxLive.trim() ? Number(draft.maxLive) : null,
  };
}

/** Throw FieldErrors when a draft can't be sent. */
export function check(draft: Draft): void {
  if (!draft.name.trim()) throw new FieldErrors({ name: "Enter the partner's name." });
  if (!/^\d*$/.test(draft.maxLive.trim())) throw new FieldErrors({ maxLive: "Expected a whole number, or nothing" });
}

/** Return the codes of services as a text. */
export function servicesInWords(services: readonly string[] | null): string {
  if (services === null) return "All services";
  return services.length ? services.join(", ") : "None";
}

function sameServices(one: readonly string[] | null, other: readonly string[] | null): boolean {
  if (one === null || other === null) return one === other;
  return one.length === other.length && one.every((code) => other.includes(code));
}
