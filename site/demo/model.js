/** The trained network of lecture 10, one character at a time: embedding, LSTM, scores of the next character. */

const LENGTH_BYTES = 8; // before the header of the weights' file; they say how long it is
const GATES = 4; // of an LSTM, in Keras's order: input, forget, candidate, output

export class Model {
  /** Loads what weights.py wrote. */
  static async load(address) {
    const answer = await fetch(address);
    if (!answer.ok) throw new Error(`${address} gave ${answer.status} instead of the model's weights`);
    return new Model(await answer.arrayBuffer());
  }

  constructor(buffer) {
    const { header, arrays } = readArrays(buffer);
    this.characters = Array.from(header.__metadata__.characters);
    this.reserved = Number(header.__metadata__.reserved); // ids before the first character's
    this.ids = new Map(this.characters.map((character, place) => [character, this.reserved + place]));
    const [classes, embedding] = header.embedding.shape;
    this.classes = classes;
    this.units = header.recurrent_kernel.shape[0];
    this.recurrentKernel = arrays.recurrent_kernel;
    this.denseKernel = arrays.dense_kernel;
    this.denseBias = arrays.dense_bias;
    // What a character adds to the gates never changes, so it is computed once: a row of GATES · units numbers each.
    this.inputs = Array.from({ length: classes }, (_, id) => {
      const row = Float32Array.from(arrays.bias);
      addProduct(row, arrays.embedding.subarray(id * embedding, (id + 1) * embedding), arrays.kernel);
      return row;
    });
  }

  /** A reader at the beginning of a text, its state all zeros. */
  begin() {
    return new Reader(this);
  }
}

class Reader {
  constructor(model) {
    this.model = model;
    this.hidden = new Float32Array(model.units);
    this.cell = new Float32Array(model.units);
    this.gates = new Float32Array(GATES * model.units);
    this.logits = new Float32Array(model.classes);
  }

  /** Takes one id in; gives the logits of the id that follows, in an array that the next call overwrites. */
  read(id) {
    const { model, hidden, cell, gates, logits } = this;
    const units = model.units;
    gates.set(model.inputs[id]);
    addProduct(gates, hidden, model.recurrentKernel);
    for (let unit = 0; unit < units; unit++) {
      const kept = sigmoid(gates[units + unit]) * cell[unit];
      cell[unit] = kept + sigmoid(gates[unit]) * Math.tanh(gates[2 * units + unit]);
      hidden[unit] = sigmoid(gates[3 * units + unit]) * Math.tanh(cell[unit]);
    }
    logits.set(model.denseBias);
    addProduct(logits, hidden, model.denseKernel);
    return logits;
  }
}

function sigmoid(value) {
  return 1 / (1 + Math.exp(-value));
}

/** sum += vector · matrix, where the matrix lies row by row. */
function addProduct(sum, vector, matrix) {
  const columns = sum.length;
  for (let row = 0, place = 0; row < vector.length; row++) {
    const factor = vector[row];
    for (let column = 0; column < columns; column++, place++) sum[column] += factor * matrix[place];
  }
}

function readArrays(buffer) {
  const view = new DataView(buffer);
  const begin = LENGTH_BYTES + Number(view.getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, LENGTH_BYTES, begin - LENGTH_BYTES)));
  const arrays = {};
  for (const [name, entry] of Object.entries(header)) {
    if (name === "__metadata__") continue;
    const [first, end] = entry.data_offsets;
    arrays[name] = Float32Array.from({ length: (end - first) / 2 }, (_, place) =>
      fromHalf(view.getUint16(begin + first + 2 * place, true)),
    );
  }
  return { header, arrays };
}

/** The number that 16 bits stand for: a sign, five bits of exponent, ten of fraction. */
function fromHalf(bits) {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  return sign * (exponent ? (1 + fraction / 1024) * 2 ** (exponent - 15) : fraction * 2 ** -24);
}
