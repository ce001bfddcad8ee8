/**
 * How the two opinions of the classifier make one: the margin of the linear
 * model and the probability of Fisher's method, weighted as they spread. They
 * err in different messages. Sums are about −2.5 for wanted mail and 2.5 for
 * unwanted; the number itself means nothing before it is compared to what wanted
 * mail has (`LinearModel.wantedLimit`). Never throws.
 */
const FISHER_WEIGHT = 2.5

export function evidenceOf(margin: number, probability: number): number {
  return margin + FISHER_WEIGHT * (probability - 0.5)
}
