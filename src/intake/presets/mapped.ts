import { planColumns, quoteName, type ColumnRole, type Preset } from "../csv-plan.ts";
import { checkMapping, MISSING_CELLS, type Mapping } from "../mapping.ts";

/** The form that a user's mapping describes. */
export function mapped(given: Mapping): Preset {
  const mapping = checkMapping(given);
  const roles = new Map<string, ColumnRole>((mapping.ignore ?? []).map((name) => [name, { is: "ignored" }]));
  for (const { column, system, code, unit, component, missing } of mapping.columns) {
    const channel = { code: { system, code }, ...(component ? { component } : {}), unit };
    roles.set(column, { is: "channel", channel, missing: new Set(missing ?? MISSING_CELLS) });
  }
  return {
    name: "mapping",
    matches: () => true,
    plan: (header, refuse) => {
      const lacking = [...roles.keys()].find((name) => !header.includes(name));
      if (lacking !== undefined) refuse(`the mapping names a column ${quoteName(lacking)} that the file lacks`);
      const form = { preset: "mapping", delimiter: mapping.delimiter ?? ",", time: mapping.time } as const;
      return planColumns(header, form, (name) => roles.get(name), refuse);
    },
  };
}
