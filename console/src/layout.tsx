import { useEffect, useRef, useState } from "preact/hooks";
import { checkAgain, isDown, isTotpNeeded } from "./api";
import { Announcer } from "./components/announce";
import { Head, useTitle } from "./components/head";
import { config } from "./config";
import { pages } from "./pages";
import { account } from "./pages/account";
import type { Page } from "./pages/page";
import { readRole } from "./role";
import { type Place, hrefTo, match, place } from "./router";
import { signOut, staff } from "./session";
import { useStore } from "./store";

// How often a stack that is down is checked (ms).
const CHECK_EVERY = 5_000;

/** What surrounds every page: the menu, who is signed in, and whether the stack responds. */
export function Layout() {
  const at = useStore(place);
  const name = useStore(staff) ?? "";
  const main = useRef<HTMLElement>(null);
  const [open, setOpen] = useState(false);
  const needed = useStore(isTotpNeeded);
  // Without a second factor where one is needed, there is no other page; the address stays, to go on from there.
  const found = needed ? { page: account, params: {} } : find(at);
  const title = found?.page.title ?? "Page not found";
  const address = needed ? account.route : at.parts.join("/");

  useTitle(title);
  useFocusOnArrival(main, address);
  useEffect(() => {
    setOpen(false);
    void readRole();
  }, [address]);

  return (
    <>
      <button type="button" class="skip" onClick={() => main.current?.focus()}>
        Skip to content
      </button>
      <header class="top">
        <span class="brand">GlobalConnect</span>
        <button
          type="button"
          class="menu-button"
          aria-expanded={open}
          aria-controls="menu"
          onClick={() => setOpen(!open)}
        >
          Menu
        </button>
        <nav id="menu" aria-label="Pages" class={open ? "open" : undefined}>
          <ul>
            {(needed ? [] : pages.filter(inMenu)).map((page) => (
              <li key={page.route}>
                <a href={hrefTo(...page.route.split("/").filter(Boolean))} aria-current={current(page, found?.page)}>
                  {page.menu}
                </a>
              </li>
            ))}
          </ul>
          <div class="who">
            <a
              class="name"
              href={hrefTo("account")}
              aria-label={`${name}, your account`}
              aria-current={found?.page === account ? "page" : undefined}
            >
              {name}
            </a>
            <button type="button" onClick={signOut}>
              Sign out
            </button>
          </div>
        </nav>
      </header>
      <Outage />
      <main ref={main} tabIndex={-1}>
        {found ? (
          // A key, so that a page starts over for another partner or number.
          <found.page.view key={address} params={found.params} />
        ) : (
          <Head title="Page not found">
            <a href={hrefTo("overview")}>Go to the overview</a>
          </Head>
        )}
      </main>
      <Announcer />
    </>
  );
}

function useFocusOnArrival(main: { current: HTMLElement | null }, address: string): void {
  const first = useRef(true);
  useEffect(() => {
    // On load the browser itself sets the focus.
    if (first.current) first.current = false;
    else {
      main.current?.focus();
      scrollTo(0, 0);
    }
  }, [address]);
}

function Outage() {
  const down = useStore(isDown);
  const [checking, setChecking] = useState(false);

  const check = async () => {
    setChecking(true);
    await checkAgain();
    setChecking(false);
  };

  useEffect(() => {
    if (!down) return;
    const timer = setInterval(() => void checkAgain(), CHECK_EVERY);
    return () => clearInterval(timer);
  }, [down]);

  // Always rendered, so that a screen reader notices when it fills.
  return (
    <div class="outage" role="status">
      {down && (
        <>
          <p>The stack is not responding. What you see may be out of date; nothing you typed is lost.</p>
          <button type="button" aria-disabled={checking} onClick={() => void check()}>
            {checking ? "Checking…" : "Try again"}
          </button>
        </>
      )}
    </div>
  );
}

function find(at: Place): { page: Page; params: Readonly<Record<string, string>> } | null {
  for (const page of pages) {
    const params = match(page.route, at);
    if (params && isHere(page)) return { page, params };
  }
  return null;
}

function inMenu(page: Page): boolean {
  return page.menu !== undefined && isHere(page);
}

function isHere(page: Page): boolean {
  return page.when?.(config) ?? true;
}

/** Return the aria-current of a menu entry: whether it is the page shown, or the one it is reached from. */
function current(entry: Page, shown: Page | undefined): "page" | "true" | undefined {
  if (entry === shown) return "page";
  return shown?.route.startsWith(`${entry.route}/`) ? "true" : undefined;
}
