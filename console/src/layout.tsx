import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { away, lookAgain } from "./api";
import { Announcer } from "./components/announce";
import { config } from "./config";
import { pages } from "./pages";
import type { Page } from "./pages/page";
import { hrefTo, match, place } from "./router";
import { operator, signOut } from "./session";
import { useStore } from "./store";

// While the stack is away it is looked for this often (ms).
const LOOK_EVERY = 5_000;

/** What is around every page: the menu, who is signed in, and whether the stack is there. */
export function Layout() {
  const at = useStore(place);
  const main = useRef<HTMLElement>(null);
  const [open, setOpen] = useState(false);
  const found = find(at);
  const title = found?.page.title ?? "No such page";
  const address = at.parts.join("/");

  useTitle(title);
  useFocusOnArrival(main, address);
  useEffect(() => setOpen(false), [address]);

  return (
    <>
      <button type="button" class="skip" onClick={() => main.current?.focus()}>
        Skip to the content
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
            {pages.filter(inMenu).map((page) => (
              <li key={page.route}>
                <a href={hrefTo(...page.route.split("/").filter(Boolean))} aria-current={current(page, found?.page)}>
                  {page.menu}
                </a>
              </li>
            ))}
          </ul>
          <div class="who">
            <span class="name">{useStore(operator)}</span>
            <button type="button" onClick={signOut}>
              Sign out
            </button>
          </div>
        </nav>
      </header>
      <Away />
      <main ref={main} tabIndex={-1}>
        {found ? (
          // A key, so that a page begins anew for another partner or number.
          <found.page.view key={address} params={found.params} />
        ) : (
          <Head title="No such page">
            <a href={hrefTo("overview")}>To the overview</a>
          </Head>
        )}
      </main>
      <Announcer />
    </>
  );
}

/** A page's heading, with what can be done there. */
export function Head({ title, children }: { title: ComponentChildren; children?: ComponentChildren }) {
  return (
    <div class="head">
      <h1>{title}</h1>
      {children && <div class="buttons">{children}</div>}
    </div>
  );
}

/** Name the page in the browser's own places. */
export function useTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · GlobalConnect`;
  }, [title]);
}

function useFocusOnArrival(main: { current: HTMLElement | null }, address: string): void {
  const first = useRef(true);
  useEffect(() => {
    // The browser itself puts the focus where a page begins when it is loaded.
    if (first.current) first.current = false;
    else {
      main.current?.focus();
      scrollTo(0, 0);
    }
  }, [address]);
}

function Away() {
  const gone = useStore(away);
  const [looking, setLooking] = useState(false);

  const look = async () => {
    setLooking(true);
    await lookAgain();
    setLooking(false);
  };

  useEffect(() => {
    if (!gone) return;
    const timer = setInterval(() => void lookAgain(), LOOK_EVERY);
    return () => clearInterval(timer);
  }, [gone]);

  // Always there, so that a screen reader hears it fill.
  return (
    <div class="away" role="status">
      {gone && (
        <>
          <p>The stack does not answer. What you see may be old; nothing is lost that you have typed.</p>
          <button type="button" aria-disabled={looking} onClick={() => void look()}>
            {looking ? "Looking…" : "Try again"}
          </button>
        </>
      )}
    </div>
  );
}

function find(at: typeof place.value): { page: Page; params: Readonly<Record<string, string>> } | null {
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

/** The menu's word of the page that is shown, or of the one that it is reached from. */
function current(entry: Page, shown: Page | undefined): "page" | "true" | undefined {
  if (entry === shown) return "page";
  return shown?.route.startsWith(`${entry.route}/`) ? "true" : undefined;
}
