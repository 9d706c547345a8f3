/** Gives out names that nothing in a model has yet. */
export function freshNames(taken: Set<string>): (wish: string) => string {
  return wish => {
    let name = wish;
    for (let k = 2; taken.has(name); k++) name = `${wish}_${k}`;
    taken.add(name);
    return name;
  };
}
