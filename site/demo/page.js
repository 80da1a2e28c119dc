/** The page: fills the element with the id "demo" with controls, and joins them to the model. */

import { Model } from "./model.js";
import { Writer } from "./sampling.js";
import { color, describe, makeLegend, quote, readText, summarise } from "./surprise.js";

const LENGTH = 600; // characters that one press of the button writes
const PACE = 200; // characters a second that are shown
const LONGEST = 10_000; // characters of a pasted text that are read
const SEEDS = 2 ** 32;

const host = document.getElementById("demo");
const part = (name) => document.getElementById(`demo-${name}`);
const count = (number) => Math.round(number).toLocaleString("en-GB");

try {
  const fetched = ["interface.html", "facts.json", "weights.bin"].map((name) => new URL(name, import.meta.url));
  const [controls, facts, model] = await Promise.all([
    fetch(fetched[0]).then((answer) => answer.text()),
    fetch(fetched[1]).then((answer) => answer.json()),
    Model.load(fetched[2]),
  ]);
  host.innerHTML = controls;
  part("facts").textContent = tell(facts, model);
  joinWriting(model);
  joinReading(model);
} catch (error) {
  host.textContent = `The model could not be loaded: ${error.message}. Load the page again, or ask who serves it.`;
  throw error;
}

/** What the model is and how good. */
function tell(facts, model) {
  const { nats, nats_of_counting: counted } = facts;
  const best = Math.min(...counted);
  const plays = Object.keys(facts.nats_by_play).length;
  return (
    `An LSTM of ${facts.units} units with ${count(facts.parameters)} weights has read ${facts.training_plays} of ` +
    `Shakespeare’s plays, ${count(facts.training_characters)} characters, and gives each of ` +
    `${model.characters.length} characters a probability to come next. On ${plays} whole plays that it has not read ` +
    `it needs ${nats.toFixed(2)} nats (${(nats / Math.LN2).toFixed(2)} bits) per character, where ` +
    `counting what followed the last ${counted.indexOf(best)} characters needs ${best.toFixed(2)}, and ` +
    `guessing ${facts.nats_of_guessing.toFixed(2)}.`
  );
}

/** Splits a text into what the model knows, and a sentence on what it does not, empty where it knows all. */
function sift(model, text) {
  const characters = Array.from(text);
  const unknown = new Set(characters.filter((character) => !model.ids.has(character)));
  const known = characters.filter((character) => !unknown.has(character)).join("");
  const names = Array.from(unknown, quote).join(", ");
  return { known, remark: unknown.size ? `The model does not know, and so leaves out: ${names}.` : "" };
}

/** Joins the controls of the first section to a writer. */
function joinWriting(model) {
  const [given, written] = part("text").children;
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  let writer = null; // none before the first text
  let run = null; // what is being written: null while nothing is
  let remark = ""; // on the prompt
  let begunWith = ""; // prompt and seed of the text that stands there

  const question = () => `${part("prompt").value}\n${part("seed").value}`;
  const goesOn = () => writer !== null && question() === begunWith;

  function showRun() {
    part("run").textContent = run ? "Stop" : goesOn() ? "Continue" : "Write";
  }

  function begin() {
    const prompt = sift(model, part("prompt").value);
    if (!prompt.known) {
      part("write-status").textContent = `Give the model at least one character to go on from. ${prompt.remark}`;
      part("prompt").focus();
      return;
    }
    if (!part("seed").reportValidity()) return;
    finish();
    writer = new Writer(model, prompt.known, part("seed").valueAsNumber);
    remark = prompt.remark;
    begunWith = question();
    given.textContent = prompt.known;
    written.textContent = "";
    resume();
  }

  function resume() {
    run = { began: performance.now(), written: 0, computing: 0, frame: requestAnimationFrame(step) };
    showRun();
    part("write-status").textContent = `The model writes. ${remark}`;
  }

  /** Writes what is due, once for each picture that the browser draws. */
  function step(now) {
    const elapsed = Math.max(now - run.began, 0) / 1000; // a picture may have been begun before the text was
    const due = calm.matches ? LENGTH : Math.min(LENGTH, 1 + Math.floor(elapsed * PACE));
    const begun = performance.now();
    let piece = "";
    for (; run.written < due; run.written++) piece += writer.write(part("temperature").valueAsNumber);
    run.computing += performance.now() - begun;
    written.append(piece);
    part("text").scrollTop = part("text").scrollHeight;
    showSpeed();
    if (run.written < LENGTH) run.frame = requestAnimationFrame(step);
    else finish();
  }

  function showSpeed() {
    const seconds = (performance.now() - run.began) / 1000;
    part("speed").textContent =
      `${count(run.written)} characters in ${seconds.toFixed(1)} s: ${count(run.written / seconds)} a second. ` +
      `The model alone could write ${count(run.written / (run.computing / 1000))}.`;
  }

  function finish() {
    if (!run) return;
    cancelAnimationFrame(run.frame);
    const length = count(written.textContent.length);
    part("write-status").textContent = `The model has written ${length} characters. ${remark}`;
    run = null;
    showRun();
  }

  part("run").addEventListener("click", () => (run ? finish() : goesOn() ? resume() : begin()));
  part("prompt").addEventListener("input", showRun);
  part("seed").addEventListener("input", showRun);
  part("again").addEventListener("click", begin);
  part("another").addEventListener("click", () => {
    part("seed").value = Math.floor(Math.random() * SEEDS);
    begin();
  });
  const showTemperature = () => (part("temperature-value").textContent = part("temperature").valueAsNumber.toFixed(1));
  part("temperature").addEventListener("input", showTemperature);
  showTemperature();
}

/** Joins the controls of the second section to a reader. */
function joinReading(model) {
  let entries = [];
  let reading = false;

  async function show() {
    if (reading) return;
    const pasted = Array.from(part("paste").value);
    if (!pasted.length) {
      part("read-status").textContent = "There is no text yet: type or paste one.";
      part("paste").focus();
      return;
    }
    const text = pasted.slice(0, LONGEST);
    const cut = text.length < pasted.length ? `Of ${count(pasted.length)}, only these first ones are read. ` : "";
    part("read-status").textContent = "The model reads.";
    reading = true;
    entries = await readText(model, text);
    reading = false;
    part("read-status").textContent = `${summarise(entries)} ${cut}${sift(model, text).remark}`;
    part("colored").replaceChildren(color(entries));
    part("place").max = entries.length;
    part("figure").hidden = false;
    look(1);
  }

  function look(number) {
    part("colored").querySelector(".chosen")?.classList.remove("chosen");
    part("colored").children[number - 1].classList.add("chosen");
    part("place").value = number;
    part("place-said").textContent = describe(model, entries, number - 1);
  }

  part("legend").append(makeLegend());
  part("show").addEventListener("click", show);
  part("take").addEventListener("click", () => {
    part("paste").value = part("text").textContent;
    show();
  });
  part("place").addEventListener("input", () => look(part("place").valueAsNumber));
  part("colored").addEventListener("click", (event) => {
    const number = Array.from(part("colored").children).indexOf(event.target) + 1;
    if (number) look(number);
  });
}
