import type uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";

/** A series; its colour is the custom property --plot-<colour>. */
export interface Series {
  readonly name: string;
  readonly colour: string;
  /** One per hour; null where there is none. */
  readonly values: readonly (number | null)[];
}

interface PlotProps {
  readonly title: string;
  /** When each hour starts (s). */
  readonly hours: readonly number[];
  readonly series: readonly Series[];
  readonly kind: "stacked" | "lines";
  readonly format: (value: number) => string;
  /** Possible distances of grid lines; `format` writes their multiples exactly. */
  readonly steps: readonly number[];
  /** What the legend shows while no hour is pointed at, by the series' names. */
  readonly totals: Readonly<Record<string, string>>;
  /** The span in words, for the legend: "24 hours". */
  readonly span: string;
}

const HOUR = 3_600;
const HEIGHT = 220;
const AXIS_WIDTH = 64;
const AXIS_HEIGHT = 34;
const DAY = 24 * HOUR;
// More bars would be too thin to point at: then they are drawn as one outline.
const MAX_BARS = 48;

const CLOCK = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const DATE = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });
const MOMENT = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });

const SCHEME = matchMedia("(prefers-color-scheme: dark)");

/** A plot by the hour. The library that draws it is loaded when the first one is shown. */
export function Plot({ title, hours, series, kind, format, steps, totals, span }: PlotProps) {
  const place = useRef<HTMLDivElement>(null);
  const drawn = useRef<uPlot | null>(null);
  const [library, setLibrary] = useState<typeof uPlot | null>(null);
  const [failed, setFailed] = useState(false);
  const [pointed, setPointed] = useState<number | null>(null);
  const dark = useScheme();
  const bars = hours.length <= MAX_BARS;
  const data = useMemo(() => dataOf(hours, series, kind, bars), [hours, series, kind, bars]);
  const names = series.map(({ name }) => name).join();

  useEffect(() => {
    let wanted = true;
    import("uplot").then(
      (module) => wanted && setLibrary(() => module.default),
      () => wanted && setFailed(true),
    );
    return () => {
      wanted = false;
    };
  }, []);

  useEffect(() => {
    const element = place.current;
    if (!library || !element) return;
    const width = element.clientWidth;
    const options = optionsOf(library, { series, kind, bars, format, steps, width, onPoint: setPointed });
    const plot = new library(options, data, element);
    drawn.current = plot;
    const sized = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height: HEIGHT }));
    sized.observe(element);
    return () => {
      sized.disconnect();
      plot.destroy();
      drawn.current = null;
    };
  }, [library, dark, bars, kind, names]);

  useEffect(() => {
    if (drawn.current && drawn.current.data !== data) drawn.current.setData(data);
  }, [data]);

  const at = pointed === null ? undefined : hours[pointed];
  return (
    <figure class="plot">
      <figcaption>
        <h2>{title}</h2>
        <p class="quiet">{at === undefined ? span : `${MOMENT.format(at * 1000)} – ${CLOCK.format((at + HOUR) * 1000)}`}</p>
      </figcaption>
      {failed ? (
        <p class="quiet">The plot could not be loaded; the table below has the same figures.</p>
      ) : (
        <div ref={place} class="plot-place" aria-hidden="true" />
      )}
      <Legend series={series} pointed={pointed} format={format} totals={totals} />
    </figure>
  );
}

type LegendProps = Pick<PlotProps, "series" | "format" | "totals"> & { readonly pointed: number | null };

function Legend({ series, pointed, format, totals }: LegendProps) {
  return (
    <ul class="legend">
      {series.map(({ name, colour, values }) => {
        const value = pointed === null ? undefined : values[pointed];
        return (
          <li key={name}>
            <span class={`swatch plot-${colour}`} aria-hidden="true" />
            {name}{" "}
            <strong>{pointed === null ? totals[name] : value === null || value === undefined ? "–" : format(value)}</strong>
          </li>
        );
      })}
    </ul>
  );
}

function useScheme(): boolean {
  const [dark, setDark] = useState(SCHEME.matches);
  useEffect(() => {
    const look = () => setDark(SCHEME.matches);
    SCHEME.addEventListener("change", look);
    return () => SCHEME.removeEventListener("change", look);
  }, []);
  return dark;
}

/** Return what is drawn: of stacked series the sums, the highest first, so that lower ones are drawn over it. */
function dataOf(
  hours: readonly number[],
  series: readonly Series[],
  kind: PlotProps["kind"],
  bars: boolean,
): uPlot.AlignedData {
  let columns = series.map(({ values }) => [...values]);
  if (kind === "stacked") {
    const sums = hours.map(() => 0);
    columns = columns.map((values) => values.map((value, index) => (sums[index] = (sums[index] ?? 0) + (value ?? 0))));
    columns.reverse();
  }
  const times = [...hours];
  const last = hours.at(-1);
  if (!bars && last !== undefined) {
    // The last hour has a width too.
    times.push(last + HOUR);
    for (const values of columns) values.push(kind === "stacked" ? (values.at(-1) ?? null) : null);
  }
  return [times, ...columns];
}

interface Drawing {
  readonly series: readonly Series[];
  readonly kind: PlotProps["kind"];
  readonly bars: boolean;
  readonly format: (value: number) => string;
  readonly steps: readonly number[];
  readonly width: number;
  readonly onPoint: (index: number | null) => void;
}

function optionsOf(
  library: typeof uPlot,
  { series, kind, bars, format, steps, width, onPoint }: Drawing,
): uPlot.Options {
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  const { bars: asBars, stepped } = library.paths;
  const paths = bars ? asBars?.({ size: [0.8, 60], align: 1 }) : stepped?.({ align: 1 });
  const ordered = kind === "stacked" ? [...series].reverse() : series;
  const axis = {
    stroke: colour("--quiet"),
    font: "12px system-ui, sans-serif",
    grid: { stroke: colour("--plot-grid"), width: 1 },
    ticks: { stroke: colour("--plot-grid"), width: 1 },
  };
  return {
    width,
    height: HEIGHT,
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { show: false } },
    scales: {
      x: { range: (_, from, to) => [from, bars ? to + HOUR : to] },
      y: { range: (_, __, highest) => [0, highest ? highest * 1.1 : 1] },
    },
    axes: [
      { ...axis, size: AXIS_HEIGHT, space: 64, values: (_, splits, __, ___, step) => splits.map((at) => timeOf(at, step)) },
      { ...axis, size: AXIS_WIDTH, space: 36, incrs: [...steps], values: (_, splits) => splits.map((value) => format(value)) },
    ],
    series: [
      {},
      ...ordered.map((one): uPlot.Series => {
        const ink = colour(`--plot-${one.colour}`);
        if (kind === "lines") return { stroke: ink, width: 2, points: { show: bars, size: 5, fill: ink } };
        return { fill: ink, width: 0, points: { show: false }, ...(paths ? { paths } : {}) };
      }),
    ],
    hooks: {
      setCursor: [
        (plot) => {
          const index = plot.cursor.idx;
          onPoint(index === null || index === undefined || (plot.cursor.left ?? -1) < 0 ? null : hourAt(plot));
        },
      ],
    },
  };
}

/** Return the hour under the cursor: the last to start before it, not the nearest. */
function hourAt(plot: uPlot): number | null {
  const time = plot.posToVal(plot.cursor.left ?? 0, "x");
  const index = Math.floor((time - (plot.data[0][0] ?? 0)) / HOUR);
  return index >= 0 && index < plot.data[0].length ? index : null;
}

function timeOf(at: number, step: number): string {
  const moment = new Date(at * 1000);
  const midnight = moment.getHours() === 0 && moment.getMinutes() === 0;
  return step >= DAY || midnight ? DATE.format(moment) : CLOCK.format(moment);
}
