/** What functions/console/app.py writes into the page. */
export interface Config {
  /** Base URL of the API, without a trailing slash. */
  readonly api: string;
  readonly userPoolClientId: string;
  /** URL of Cognito's API. */
  readonly cognito: string;
  /** Whether there is a page that plays partner and phone. */
  readonly tryIt: boolean;
}

const written = document.querySelector('meta[name="globalconnect"]')?.getAttribute("content");
if (!written) throw new Error("the page was served without its configuration");

export const config = JSON.parse(written) as Config;
