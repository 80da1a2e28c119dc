/** Drawing the next character, as `utils.sampling` does it. */

/**
 * Weights of the ids at a temperature, the largest being 1. At 0 only the most probable id has one, of equals the
 * first. Ids below `reserved` have none.
 */
export function weigh(logits, temperature, reserved = 0) {
  let best = reserved;
  for (let id = reserved; id < logits.length; id++) if (logits[id] > logits[best]) best = id;
  return Float64Array.from(logits, (logit, id) => {
    if (id < reserved) return 0;
    return temperature === 0 ? Number(id === best) : Math.exp((logit - logits[best]) / temperature);
  });
}

/** The first id whose cumulative weight exceeds the share `chance`, in [0, 1), of the whole. */
export function draw(weights, chance) {
  const threshold = chance * weights.reduce((sum, weight) => sum + weight, 0);
  let cumulative = 0;
  let possible = 0;
  for (let id = 0; id < weights.length; id++) {
    if (weights[id] === 0) continue;
    cumulative += weights[id];
    if (cumulative > threshold) return id;
    possible = id;
  }
  return possible; // rounding may lift the threshold to the whole
}

/**
 * Random numbers in [0, 1) that a seed determines: Weyl's sequence, mixed like a hash.
 * Source: SplitMix (Steele, Lea and Flood, 2014) in 32 bits, with the mixing of MurmurHash3 (Appleby).
 */
export function makeGenerator(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
    return ((mixed ^ (mixed >>> 16)) >>> 0) / 2 ** 32;
  };
}

/** Writes on from a prompt. */
export class Writer {
  /** Reads the characters of the prompt, at least one, all of which the model knows. */
  constructor(model, prompt, seed) {
    this.model = model;
    this.reader = model.begin();
    this.nextChance = makeGenerator(seed);
    for (const character of prompt) this.logits = this.reader.read(model.ids.get(character));
  }

  /** The next character. */
  write(temperature) {
    const { model, reader } = this;
    const id = draw(weigh(this.logits, temperature, model.reserved), this.nextChance());
    this.logits = reader.read(id);
    return model.characters[id - model.reserved];
  }
}
