/** How surprised the model is by each character of a text, and the text coloured by it, as `utils.surprise` does it. */

// Classes of surprise: up to so many bits. demo.css has their colours.
const CLASSES = [1, 2, 4, 6, Infinity];
const SHOWN = 5; // of what the model expected instead, the most probable characters
const PATIENCE = 12; // milliseconds of reading after which the page may draw
const VISIBLE = { " ": "␣", "\n": "↵", "\t": "⇥" };

/**
 * Reads a text, in slices of time that leave the page alive.
 *
 * Gives an entry for each character: { character, known, nats, logs }. nats is null where nothing is predicted: at the
 * first character and at those that the model does not know, which it does not read. logs has the logarithm of the
 * probability that the model gave each id there.
 */
export async function readText(model, text) {
  const reader = model.begin();
  const entries = [];
  let logits = null;
  let paused = performance.now();
  for (const character of text) {
    const id = model.ids.get(character);
    const entry = { character, known: id !== undefined, nats: null, logs: null };
    entries.push(entry);
    if (!entry.known) continue;
    if (logits) {
      entry.logs = normalize(logits);
      entry.nats = Math.max(-entry.logs[id], 0); // rounding may lift a probability just over 1
    }
    logits = reader.read(id);
    if (performance.now() - paused > PATIENCE) {
      await new Promise((resume) => setTimeout(resume));
      paused = performance.now();
    }
  }
  return entries;
}

function normalize(logits) {
  const largest = Math.max(...logits);
  const total = largest + Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit - largest), 0));
  return logits.map((logit) => logit - total);
}

/** One line on the whole text: how many characters are predicted, their mean, and the highest. */
export function summarise(entries) {
  const predicted = entries.filter((entry) => entry.nats !== null);
  if (!predicted.length) return `Surprise: none of ${entries.length} characters is predicted.`;
  const mean = predicted.reduce((sum, entry) => sum + entry.nats, 0) / predicted.length;
  const highest = predicted.reduce((one, other) => (other.nats > one.nats ? other : one));
  return (
    `Surprise of ${predicted.length} predicted characters: mean ${mean.toFixed(3)} nats, ` +
    `${(mean / Math.LN2).toFixed(3)} bits, perplexity ${Math.exp(mean).toFixed(2)}; ` +
    `highest ${highest.nats.toFixed(2)} nats at character ${entries.indexOf(highest) + 1}, ${quote(highest.character)}.`
  );
}

/** One line on one character: what it cost, and what the model expected there. */
export function describe(model, entries, place) {
  const { character, known, nats, logs } = entries[place];
  const name = `Character ${place + 1}, ${quote(character)}: `;
  if (!known) return `${name}the model does not know it and does not read it.`;
  if (nats === null) return `${name}nothing comes before it, so it is not predicted.`;
  const expected = model.characters
    .map((other, rank) => [other, Math.exp(logs[model.reserved + rank])])
    .sort((one, other) => other[1] - one[1])
    .slice(0, SHOWN)
    .map(([other, probability]) => `${quote(other)} ${probability.toFixed(2)}`);
  return `${name}${cost(nats)}. Most probable here: ${expected.join(", ")}.`;
}

/** The coloured text: an element for each entry. */
export function color(entries) {
  const text = document.createDocumentFragment();
  for (const { character, known, nats } of entries) {
    const element = document.createElement("span");
    element.className = nats === null ? "unpredicted" : className(nats);
    element.classList.toggle("unknown", !known);
    element.textContent = character === "\n" ? "↵\n" : character;
    const said = nats === null ? (known ? "no prediction" : "the model does not know it") : cost(nats);
    element.title = `${quote(character)}: ${said}`;
    text.append(element);
  }
  return text;
}

/** The legend of the colours. */
export function makeLegend() {
  const legend = document.createDocumentFragment();
  const add = (name, words) => {
    const element = document.createElement("span");
    element.className = name;
    element.textContent = words;
    legend.append(element, " ");
  };
  for (const bits of CLASSES.slice(0, -1)) {
    const nats = bits * Math.LN2;
    add(className(nats), `\u00a0up to ${nats.toPrecision(2)} nats (p ≥ 1/${2 ** bits})\u00a0`);
  }
  add(className(Infinity), "\u00a0more\u00a0");
  add("unpredicted", "no prediction");
  return legend;
}

/** A character in quotation marks; white space that one would not see, by a sign. */
export function quote(character) {
  return `“${VISIBLE[character] ?? character}”`;
}

function className(nats) {
  return `surprise-${CLASSES.findIndex((bits) => nats / Math.LN2 <= bits)}`;
}

function cost(nats) {
  return `${nats.toFixed(2)} nats, p = ${Number(Math.exp(-nats).toPrecision(2))}`;
}
