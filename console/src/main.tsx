import { Component, type ComponentChildren, render } from "preact";
import { Head } from "./components/head";
import { Layout } from "./layout";
import { SignIn, SignInAgain } from "./pages/sign-in";
import { isAsking, isSessionOver, staff } from "./session";
import { useStore } from "./store";
import "./styles.css";

function Console() {
  const name = useStore(staff);
  const again = useStore(isSessionOver);
  const asking = useStore(isAsking);
  if (name === null) return asking ? null : <SignIn />;
  return (
    <>
      <Layout />
      {again && <SignInAgain name={name} />}
    </>
  );
}

/** Shows a bug of the console instead of a blank page. */
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
        <p role="alert">This is a bug in the console. It changed nothing.</p>
        <button type="button" class="primary" onClick={() => location.reload()}>
          Reload
        </button>
      </main>
    );
  }
}

// Links such as #/partners are relative to the page's base, which ends with a slash.
const base = new URL(document.baseURI);
if (location.origin === base.origin && location.pathname !== base.pathname) {
  history.replaceState(null, "", `${base.pathname}${location.hash}`);
}

const root = document.getElementById("app");
if (!root) throw new Error("the page has no element for the console");
render(
  <Guard>
    <Console />
  </Guard>,
  root,
);
