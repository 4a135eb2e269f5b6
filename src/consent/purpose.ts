/**
 * Purpose of use: an HL7 v3 PurposeOfUse code (code system v3-ActReason), and for research the GA4GH Data Use Ontology
 * terms that narrow it, in ascending order:
 *
 *     purpose = code [ 1*( "+" term ) ]              terms only behind HRESCH and CLINTRCH
 *     term    = "DUO:" 7DIGIT [ "=" "MONDO:" 7DIGIT ]   the disease behind DUO:0000007 and only there
 *
 * The words are part of the statement grammar: a change needs a new format version.
 */
export const PURPOSES = {
  TREAT: "treating and caring for the person whose data it is",
  ETREAT: "emergency treatment of the person whose data it is",
  COC: "handing the care of the person whose data it is from one carer to the next",
  CAREMGT: "planning and organising the care of the person whose data it is",
  HPAYMT: "paying for health care",
  HOPERAT: "running a health care service",
  HQUALIMP: "improving the quality of health care",
  PATSFTY: "making health care safer",
  PATRQT: "answering a request of the person whose data it is",
  FAMRQT: "answering a request of the family of the person whose data it is",
  PWATRNY: "acting under a power of attorney of the person whose data it is",
  PUBHLTH: "protecting public health",
  HRESCH: "health research",
  CLINTRCH: "a clinical trial",
} as const;

export type PurposeCode = keyof typeof PURPOSES;

const RESEARCH: ReadonlySet<string> = new Set<PurposeCode>(["HRESCH", "CLINTRCH"]);

const DISEASE_TERM = "0000007";

/** DUO terms that can be said in full without a parameter, and the one whose parameter is a MONDO disease. */
const DUO_WORDS: Readonly<Record<string, string>> = {
  "0000004": "with no restriction on the research",
  "0000006": "only on health, medicine or biology, and not on where people come from",
  [DISEASE_TERM]: "only on the disease with the number",
  "0000011": "only on where people come from",
  "0000015": "not to develop methods or software",
  "0000016": "only genetic studies",
  "0000018": "only by organisations not working for profit and not for commercial use",
  "0000019": "only if the results are made available to other researchers",
  "0000021": "only with the approval of an ethics committee",
  "0000029": "only if the results are returned to the source of the data",
  "0000042": "for any research question",
  "0000043": "also for medical care",
  "0000044": "not on where people come from",
  "0000045": "only by organisations not working for profit",
  "0000046": "not for commercial use",
};

const TERM = /^DUO:(\d{7})(?:=(MONDO:\d{7}))?$/;

/** The purpose in plain words with its codes, or undefined when it does not follow the grammar above. */
export function purposeWords(purpose: string): string | undefined {
  const [code = "", ...terms] = purpose.split("+");
  if (!Object.hasOwn(PURPOSES, code)) return undefined;
  if (terms.length > 0 && !RESEARCH.has(code)) return undefined;
  const words = [`${PURPOSES[code as PurposeCode]} (${code})`];
  for (const [i, term] of terms.entries()) {
    if (i > 0 && term <= (terms[i - 1] as string)) return undefined;
    const [, number = "", disease] = TERM.exec(term) ?? [];
    if (!Object.hasOwn(DUO_WORDS, number)) return undefined;
    if ((number === DISEASE_TERM) !== (disease !== undefined)) return undefined;
    words.push(`${DUO_WORDS[number]}${disease === undefined ? "" : ` ${disease}`} (DUO:${number})`);
  }
  return words.join(", ");
}

export const isPurpose = (purpose: string): boolean => purposeWords(purpose) !== undefined;
