/** Numbers for Prometheus, in its text format 0.0.4. Labels hold names from the configuration and codes only. */
export class Metrics {
  readonly #families = new Map<string, { readonly type: "counter" | "gauge"; readonly help: string }>();
  readonly #values = new Map<string, Map<string, number>>();
  readonly #sampled: (() => void)[] = [];

  /** Names a family, so that it shows before it has a value. */
  family(name: string, type: "counter" | "gauge", help: string): void {
    this.#families.set(name, { type, help });
    this.#values.set(name, new Map());
  }

  add(name: string, labels: Readonly<Record<string, string>> = {}, by = 1): void {
    const values = this.#of(name);
    const key = labelled(labels);
    values.set(key, (values.get(key) ?? 0) + by);
  }

  set(name: string, value: number, labels: Readonly<Record<string, string>> = {}): void {
    this.#of(name).set(labelled(labels), value);
  }

  /** Called each time before the numbers are shown. */
  sample(work: () => void): void {
    this.#sampled.push(work);
  }

  text(): string {
    for (const work of this.#sampled) work();
    const lines = [...this.#families].flatMap(([name, { type, help }]) => [
      `# HELP ${name} ${help}`,
      `# TYPE ${name} ${type}`,
      ...[...this.#of(name)].map(([labels, value]) => `${name}${labels} ${value}`),
    ]);
    return `${lines.join("\n")}\n`;
  }

  #of(name: string): Map<string, number> {
    const values = this.#values.get(name);
    if (!values) throw new Error(`there is no metric ${name}`);
    return values;
  }
}

const labelled = (labels: Readonly<Record<string, string>>): string => {
  const all = Object.entries(labels).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return all.length === 0 ? "" : `{${all.join(",")}}`;
};
