import { visible } from "../bytes/visible.ts";

/** Markup that was made here; whatever is no `Markup` is text, and is escaped. */
export class Markup {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export type Content = Markup | string | number | readonly Content[];

/** A template whose values are escaped unless they are markup themselves; lists are joined. */
export const html = (parts: TemplateStringsArray, ...values: readonly Content[]): Markup =>
  new Markup(parts.reduce((all, part, i) => all + rendered(values[i - 1] ?? "") + part));

/** The same under another name, for what is written as it stands: parts of drawings and of tables, where prettier would break tags. */
export const draw = html;

export const NOTHING = new Markup("");

function rendered(content: Content): string {
  if (content instanceof Markup) return content.text;
  if (typeof content === "string") return escaped(content);
  return typeof content === "number" ? String(content) : content.map(rendered).join("");
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

const escaped = (text: string): string => visible(text).replace(/[&<>"']/g, (char) => ENTITIES[char] as string);

/** A name that somebody else chose: its direction of writing stays its own. */
export const named = (text: string): Markup => html`<bdi>${text}</bdi>`;

/** A row of cells; the first one heads it. */
export const row = ([head = "", ...cells]: readonly Content[]): Markup =>
  draw`<tr><th scope="row">${head}</th>${cells.map((cell) => draw`<td>${cell}</td>`)}</tr>`;

export const table = (caption: Content, heads: readonly Content[], rows: readonly Markup[]): Markup =>
  draw`<div class="scroll"><table>
<caption>${caption}</caption>
<thead><tr>${heads.map((head) => draw`<th scope="col">${head}</th>`)}</tr></thead>
<tbody>
${rows.map(
  (one) => draw`${one}
`,
)}</tbody>
</table></div>
`;

/** Pairs of a term and what is said of it. */
export const facts = (pairs: readonly (readonly [term: string, said: Content])[]): Markup =>
  draw`<dl>${pairs.map(
    ([term, said]) => draw`
<div><dt>${term}</dt><dd>${said}</dd></div>`,
  )}
</dl>
`;
