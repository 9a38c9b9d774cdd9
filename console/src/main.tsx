import { Component, type ComponentChildren, render } from "preact";
import { Head, Layout } from "./layout";
import { SignIn, SignInAgain } from "./pages/signin";
import { asking, operator } from "./session";
import { useStore } from "./store";
import "./styles.css";

function Console() {
  const name = useStore(operator);
  const again = useStore(asking);
  if (name === null) return <SignIn />;
  return (
    <>
      <Layout />
      {again && <SignInAgain name={name} />}
    </>
  );
}

/** A fault of the console's own: it says so, and takes nothing else with it. */
class Guard extends Component<{ children: ComponentChildren }, { failed: boolean }> {
  override state = { failed: false };

  static override getDerivedStateFromError() {
    return { failed: true };
  }

  override componentDidCatch(error: unknown) {
    console.error(error);
  }

  render() {
    if (!this.state.failed) return this.props.children;
    return (
      <main>
        <Head title="Something went wrong in the console" />
        <p role="alert">That is our fault, not yours. Nothing was changed by it.</p>
        <button type="button" class="primary" onClick={() => location.reload()}>
          Load the page again
        </button>
      </main>
    );
  }
}

// Links of the form #/partners are relative to the page's base, which is the address with the slash.
const base = new URL(document.baseURI);
if (location.origin === base.origin && location.pathname !== base.pathname) {
  history.replaceState(null, "", `${base.pathname}${location.hash}`);
}

const root = document.getElementById("app");
if (!root) throw new Error("the page has no place for the console");
render(
  <Guard>
    <Console />
  </Guard>,
  root,
);
