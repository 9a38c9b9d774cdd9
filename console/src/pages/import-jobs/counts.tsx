import { count } from "../../figures";
import type { Counts } from "../../import-jobs";

/** What an import did, or would do. */
export function CountsList({ dryRun, counts }: { dryRun: boolean; counts: Counts }) {
  const figures: [string, number][] = [
    [dryRun ? "Would be new" : "New", counts.imported],
    [dryRun ? "Would move" : "Moved to another pool", counts.updated - counts.unchanged],
    ["Unchanged", counts.unchanged],
    ["Rejected", counts.rejected],
  ];
  return (
    <dl class="figures">
      {figures.map(([name, figure]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{count(figure)}</dd>
        </div>
      ))}
    </dl>
  );
}
