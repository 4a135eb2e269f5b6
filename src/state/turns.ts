/** Runs what it is given one after the other: each begins where the one before ended, however that was. */
export type Turns = <T>(work: () => Promise<T>) => Promise<T>;

export function oneByOne(): Turns {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const turn = last.then(work, work);
    last = turn.catch(() => undefined);
    return turn;
  };
}
