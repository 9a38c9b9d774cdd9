/** Return a phone number without what people write in it: +44 7700 900-123. */
export function digitsIn(phone: string): string {
  return phone.replace(/[\s()+.\-\u00A0]/g, "");
}

/** Whether these digits may be a phone number of ours. */
export function isPhone(digits: string): boolean {
  return /^[1-9]\d{4,14}$/.test(digits);
}

/** What is said of a text that is no phone number. */
export const NO_PHONE = "Expected 5 to 15 digits, country code first";
