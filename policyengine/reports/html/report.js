
'use strict';
/* Everything to be read stands in the page without this script. It unpacks the findings, shows them as a table that
   can be searched, sorted and filtered, and keeps what is shown in the address, so that a view can be cited.
   Text goes into the page as text nodes only; nothing here makes markup of data. */
(() => {

const $ = (id) => document.getElementById(id);
const STATUS = ['FAIL', 'UNKNOWN', 'accepted', 'PASS', 'N/A'];
const STATUS_KEYS = ['fail', 'unknown', 'accepted', 'pass', 'na'];
const MARK = ['✕', '?', '◇', '✓', '–'];
const SEVERITY = ['critical', 'high', 'medium', 'low'];
const TOLD = 2; // FAIL, UNKNOWN and accepted FAILs have a message and details
const count = (number) => number.toLocaleString('en-US');
const plural = (number, noun) => `${count(number)} ${noun}${number === 1 ? '' : 's'}`;

/** Make an element: attributes, `on…` listeners, children (strings become text). */
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, '');
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== ''));
  return element;
}

/* ---- unpacking ---------------------------------------------------------------------------------------------- */

function fromBase64(text) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

async function unpack(name) {
  const bytes = fromBase64($(`d-${name}`).textContent);
  if (typeof DecompressionStream === 'undefined') return inflate(bytes.subarray(2));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

const LENGTH_BASE = [3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258];
const LENGTH_MORE = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];
const FAR_BASE = [1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577];
const LENGTH_ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/** Canonical Huffman code (RFC 1951, 3.2.2) as counts by length and symbols in order. */
function huffman(lengths) {
  const counts = new Uint16Array(16);
  for (const length of lengths) counts[length]++;
  counts[0] = 0;
  const starts = new Uint16Array(16);
  for (let i = 1; i < 16; i++) starts[i] = starts[i - 1] + counts[i - 1];
  const symbols = new Uint16Array(lengths.length);
  lengths.forEach((length, symbol) => { if (length) symbols[starts[length]++] = symbol; });
  return { counts, symbols };
}

/** Decompress a deflate stream: only for browsers without DecompressionStream. */
function inflate(input) {
  let output = new Uint8Array(input.length * 8 + 1024), at = 0, end = 0, held = 0, bits = 0;
  const take = (need) => {
    while (bits < need) {
      if (at >= input.length) throw new Error('the data of this page is cut off');
      held |= input[at++] << bits;
      bits += 8;
    }
    const value = held & ((1 << need) - 1);
    held >>>= need;
    bits -= need;
    return value;
  };
  const symbol = ({ counts, symbols }) => {
    let code = 0, first = 0, index = 0;
    for (let length = 1; length < 16; length++) {
      code |= take(1);
      const here = counts[length];
      if (code - here < first) return symbols[index + code - first];
      index += here;
      first = (first + here) << 1;
      code <<= 1;
    }
    throw new Error('the data of this page is damaged');
  };
  const room = (more) => {
    if (end + more <= output.length) return;
    const larger = new Uint8Array(Math.max(output.length * 2, end + more));
    larger.set(output);
    output = larger;
  };
  const stored = () => {
    bits = held = 0;
    const size = input[at] | (input[at + 1] << 8);
    at += 4;
    room(size);
    output.set(input.subarray(at, at + size), end);
    at += size;
    end += size;
  };
  const dynamic = () => {
    const literals = take(5) + 257, fars = take(5) + 1, codes = take(4) + 4, order = new Array(19).fill(0);
    for (let i = 0; i < codes; i++) order[LENGTH_ORDER[i]] = take(3);
    const code = huffman(order), lengths = [];
    while (lengths.length < literals + fars) {
      const next = symbol(code);
      if (next < 16) lengths.push(next);
      else {
        const value = next === 16 ? lengths[lengths.length - 1] : 0;
        for (let n = next === 16 ? 3 + take(2) : next === 17 ? 3 + take(3) : 11 + take(7); n; n--) lengths.push(value);
      }
    }
    return [huffman(lengths.slice(0, literals)), huffman(lengths.slice(literals))];
  };
  const fixed = () => [
    huffman(Array.from({ length: 288 }, (_, i) => (i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8))),
    huffman(new Array(30).fill(5)),
  ];
  const compressed = ([literal, far]) => {
    for (;;) {
      const next = symbol(literal);
      if (next === 256) return;
      if (next < 256) {
        room(1);
        output[end++] = next;
        continue;
      }
      let length = LENGTH_BASE[next - 257] + take(LENGTH_MORE[next - 257]);
      const code = symbol(far), distance = FAR_BASE[code] + take(code < 2 ? 0 : (code >> 1) - 1);
      for (room(length); length; length--, end++) output[end] = output[end - distance];
    }
  };
  for (let last = 0; !last;) {
    last = take(1);
    const kind = take(2);
    if (kind === 0) stored();
    else compressed(kind === 1 ? fixed() : dynamic());
  }
  return output.subarray(0, end);
}

/* ---- columns: see columns.py -------------------------------------------------------------------------------- */

function numbers(bytes) {
  const found = new Uint32Array(bytes.length);
  let end = 0, value = 0, shift = 0;
  for (const byte of bytes) {
    value |= (byte & 0x7f) << shift;
    if (byte & 0x80) shift += 7;
    else {
      found[end++] = value;
      value = shift = 0;
    }
  }
  return found.subarray(0, end);
}

const utf8 = new TextDecoder();
const lines = (bytes) => utf8.decode(bytes).split('\n').slice(0, -1);

function words(bytes, uses) {
  const at = numbers(uses);
  let known = 0;
  for (let i = 0; i < at.length; i++) at[i] = at[i] ? known - at[i] : known++;
  return { lines: lines(bytes), at };
}

/* ---- the model ---------------------------------------------------------------------------------------------- */

const WORDS = ['type', 'account', 'region', 'arn', 'construct', 'code', 'message', 'detail', 'file'];
const NUMBERS = ['following', 'rule', 'status', 'severity', 'reason', 'line', 'column'];

async function load() {
  const model = { about: JSON.parse(utf8.decode(await unpack('about'))) };
  await Promise.all([
    ...NUMBERS.map(async (name) => { model[name] = numbers(await unpack(name)); }),
    ...WORDS.map(async (name) => {
      const [text, uses] = await Promise.all([unpack(`${name}-lines`), unpack(`${name}-uses`)]);
      model[name] = words(text, uses);
    }),
    (async () => { model.name = lines(await unpack('name')); })(),
    (async () => { model.ids = new Map(lines(await unpack('id')).map(splitId)); })(),
  ]);
  model.rows = model.about.rows;
  model.resource = new Uint32Array(model.rows);
  model.told = new Int32Array(model.rows).fill(-1);
  let row = 0, told = 0;
  model.following.forEach((many, resource) => { for (let i = 0; i < many; i++) model.resource[row++] = resource; });
  for (row = 0; row < model.rows; row++) if (model.status[row] <= TOLD) model.told[row] = told++;
  return model;
}

function splitId(line) {
  const space = line.indexOf(' ');
  return [Number(line.slice(0, space)), line.slice(space + 1)];
}

const word = (column, index) => column.lines[column.at[index]];

/** Put the names of the resource back where marks stand for them. */
function unmark(text, resource) {
  if (!/[\x01-\x04]/.test(text)) return text;
  const names = { '\x02': model.name[resource], '\x03': word(model.account, resource), '\x04': word(model.region, resource) };
  const plain = (part) => part.replace(/[\x02-\x04]/g, (mark) => names[mark]);
  return plain(text.replaceAll('\x01', () => word(model.arn, resource)));
}

const arnOf = (resource) => unmark(word(model.arn, resource), resource);

function messageOf(row) {
  const told = model.told[row];
  if (told < 0) return model.about.reasons[model.reason[row]][1];
  return unmark(word(model.message, told), model.resource[row]);
}

function detailOf(row) {
  const text = model.told[row] < 0 ? '' : word(model.detail, model.told[row]);
  return text ? JSON.parse(unmark(text, model.resource[row])) : {};
}

function whereOf(row) {
  const told = model.told[row], resource = model.resource[row];
  const file = (told >= 0 && word(model.file, told)) || word(model.code, resource);
  if (file) {
    const line = told >= 0 ? model.line[told] : 0;
    return line ? `${file}:${line}${model.column[told] ? `:${model.column[told]}` : ''}` : file;
  }
  return [word(model.account, resource), word(model.region, resource)].filter(Boolean).join('/') || 'unknown account';
}

/* The id of a finding is SHA-256 over rule and identity (model/finding.py); crypto.subtle answers later and not on
   every file:// page, so this is FIPS 180-4, section 6.2. */
const ROUND = [], START = [];
for (let number = 2; ROUND.length < 64; number++) {
  let prime = true;
  for (let i = 2; i * i <= number; i++) if (number % i === 0) prime = false;
  if (!prime) continue;
  const fraction = (value) => ((value - Math.floor(value)) * 4294967296) | 0;
  if (START.length < 8) START.push(fraction(Math.sqrt(number)));
  ROUND.push(fraction(Math.cbrt(number)));
}
const schedule = new Int32Array(64);

function sha256(bytes) {
  const size = bytes.length, padded = new Uint8Array(((size + 72) >> 6) << 6), state = Int32Array.from(START);
  padded.set(bytes);
  padded[size] = 0x80;
  const view = new DataView(padded.buffer);
  view.setUint32(padded.length - 4, size * 8);
  for (let block = 0; block < padded.length; block += 64) {
    for (let i = 0; i < 16; i++) schedule[i] = view.getInt32(block + i * 4);
    for (let i = 16; i < 64; i++) {
      const x = schedule[i - 15], y = schedule[i - 2];
      const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
      const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
      schedule[i] = (schedule[i - 16] + s0 + schedule[i - 7] + s1) | 0;
    }
    let [a, b, c, d, e, f, g, h] = state;
    for (let i = 0; i < 64; i++) {
      const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
      const t1 = (h + s1 + ((e & f) ^ (~e & g)) + ROUND[i] + schedule[i]) | 0;
      const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
      const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      h = g; g = f; f = e; e = (d + t1) | 0; d = c; c = b; b = a; a = (t1 + t2) | 0;
    }
    [a, b, c, d, e, f, g, h].forEach((value, i) => { state[i] = (state[i] + value) | 0; });
  }
  return state;
}

const encoder = new TextEncoder();

function idOf(row) {
  const kept = model.ids.get(row);
  if (kept !== undefined) return kept;
  const resource = model.resource[row], code = word(model.code, resource), name = model.name[resource];
  const identity = code ? ['', code, '', name]
    : [word(model.account, resource), word(model.region, resource), word(model.type, resource), name];
  const digest = sha256(encoder.encode([model.about.rules[model.rule[row]].id, ...identity].join('\0')));
  return Array.from(digest.subarray(0, 4), (part) => (part >>> 0).toString(16).padStart(8, '0')).join('');
}

let everyId = null;
function ids() {
  everyId ??= Array.from({ length: model.rows }, (_, row) => idOf(row));
  return everyId;
}

/* ---- filtering and sorting ---------------------------------------------------------------------------------- */

const FILTERS = ['severity', 'family', 'rule', 'control', 'account', 'region', 'type'];
const clean = () => ({ q: '', statuses: [true, true, true, false, false], sort: 'verdict', down: false, finding: '',
  ...Object.fromEntries(FILTERS.map((name) => [name, ''])) });
let model = null, state = clean(), view = new Uint32Array(0), active = -1;

let searched = null;
function searchable() {
  searched ??= {
    rules: model.about.rules.map((rule) => `${rule.id}\n${rule.title}\n${rule.family}`.toLowerCase()),
    resources: model.name.map((name, i) => [name, word(model.type, i), word(model.account, i), word(model.region, i),
      arnOf(i), word(model.construct, i), word(model.code, i)].join('\n').toLowerCase()),
    messages: model.message.lines.map((line) => line.toLowerCase()),
    details: model.detail.lines.map((line) => line.toLowerCase()),
    files: model.file.lines.map((line) => line.toLowerCase()),
    reasons: model.about.reasons.map((reason) => reason.join('\n').toLowerCase()),
  };
  return searched;
}

const hits = (texts, part) => Uint8Array.from(texts, (text) => text.includes(part));

/** Return a test of rows for one word of the search. */
function matcher(part) {
  const texts = searchable(), told = model.told;
  const rule = hits(texts.rules, part), resource = hits(texts.resources, part), reason = hits(texts.reasons, part);
  const message = hits(texts.messages, part), detail = hits(texts.details, part), file = hits(texts.files, part);
  const id = /^[0-9a-f]{12,32}$/.test(part) ? ids() : null;
  return (row) => {
    if (resource[model.resource[row]] || rule[model.rule[row]] || reason[model.reason[row]]) return true;
    const at = told[row];
    if (at >= 0 && (message[model.message.at[at]] || detail[model.detail.at[at]] || file[model.file.at[at]])) return true;
    return id !== null && id[row].startsWith(part);
  };
}

const all = (length) => new Uint8Array(length).fill(1);
function narrow(mask, test) { for (let i = 0; i < mask.length; i++) if (mask[i] && !test(i)) mask[i] = 0; }

function masks() {
  const { about } = model, rules = all(about.rules.length), resources = all(model.name.length);
  if (state.family) narrow(rules, (i) => about.rules[i].family === state.family);
  if (state.rule) narrow(rules, (i) => about.rules[i].id === state.rule);
  if (state.control) {
    const control = about.controls.find(([framework, id]) => `${framework}/${id}` === state.control);
    const chosen = new Set(control ? control[5] : []);
    narrow(rules, (i) => chosen.has(i));
  }
  for (const name of ['account', 'region', 'type']) if (state[name]) narrow(resources, (i) => word(model[name], i) === state[name]);
  return { rules, resources };
}

/** The parts of a search, all of which a row must have: words, and what stands in quotes. */
const parts = (text) => (text.toLowerCase().match(/"[^"]+"|\S+/g) ?? []).map((part) => part.replace(/^"|"$/g, '')).filter(Boolean);

function filtered() {
  const { rules, resources } = masks(), tests = parts(state.q).map(matcher);
  const severity = SEVERITY.indexOf(state.severity), found = new Uint32Array(model.rows);
  let end = 0;
  for (let row = 0; row < model.rows; row++) {
    if (!state.statuses[model.status[row]] || !rules[model.rule[row]] || !resources[model.resource[row]]) continue;
    if (severity >= 0 && model.severity[row] !== severity) continue;
    if (tests.every((test) => test(row))) found[end++] = row;
  }
  return found.subarray(0, end);
}

/** Return for each text its place in the alphabet, equal texts the same. */
function ranks(texts) {
  const order = Array.from(texts, (_, i) => i).sort((a, b) => (texts[a] < texts[b] ? -1 : texts[a] > texts[b] ? 1 : 0));
  const found = new Uint32Array(texts.length);
  order.forEach((index, i) => { found[index] = i && texts[index] === texts[order[i - 1]] ? found[order[i - 1]] : i; });
  return found;
}

const byRow = (rank) => Uint32Array.from({ length: model.rows }, (_, row) => rank(row));
const KEYS = {
  verdict: () => [model.status, model.severity],
  severity: () => [model.severity, model.status],
  rule: () => { const rank = ranks(model.about.rules.map((rule) => rule.id)); return [byRow((row) => rank[model.rule[row]])]; },
  resource: () => { const rank = ranks(model.name); return [byRow((row) => rank[model.resource[row]])]; },
  where: () => {
    const places = new Map(), place = byRow((row) => {
      const told = model.told[row], resource = model.resource[row];
      const text = (told >= 0 && word(model.file, told)) || word(model.code, resource)
        || `${word(model.account, resource)}/${word(model.region, resource)}`;
      if (!places.has(text)) places.set(text, places.size);
      return places.get(text);
    });
    const rank = ranks([...places.keys()]);
    return [place.map((at) => rank[at]), byRow((row) => (model.told[row] < 0 ? 0 : Math.min(model.line[model.told[row]], 1e6)))];
  },
  message: () => {
    const rank = ranks(model.message.lines), last = rank.length;
    return [byRow((row) => (model.told[row] < 0 ? last + model.reason[row] : rank[model.message.at[model.told[row]]]))];
  },
};
const keyCache = new Map();

/** Sort rows by columns of small numbers, the first column first: stable counting sorts from the last to the first. */
function sorted(rows) {
  if (!keyCache.has(state.sort)) keyCache.set(state.sort, KEYS[state.sort]());
  let from = rows;
  for (const keys of [...keyCache.get(state.sort)].reverse()) {
    let most = 0;
    for (const row of from) if (keys[row] > most) most = keys[row];
    const starts = new Uint32Array(most + 2), to = new Uint32Array(from.length);
    const place = state.down ? (row) => most - keys[row] : (row) => keys[row];
    for (const row of from) starts[place(row) + 1]++;
    for (let i = 1; i < starts.length; i++) starts[i] += starts[i - 1];
    for (const row of from) to[starts[place(row)]++] = row;
    from = to;
  }
  return from;
}

/* ---- the table ---------------------------------------------------------------------------------------------- */

const COLUMNS = [['w-v', ['verdict', 'Verdict'], ['severity', 'Severity']], ['w-r', ['rule', 'Rule'], ['message', 'What']],
  ['w-n', ['resource', 'Resource'], ['where', 'Where']]];
const OVER = 10, TALLEST = 8e6; // browsers stop at some height of an element
const ui = {};
let rowHeight = 52;

function buildTable() {
  const heads = COLUMNS.map(([width, ...keys]) => make('th', { scope: 'col', class: width },
    keys.map(([key, title]) => make('button', { type: 'button', 'data-key': key, onclick: () => sortBy(key) }, title))));
  const pad = () => make('tr', { class: 'pad', 'aria-hidden': 'true' }, make('td', { colspan: COLUMNS.length }));
  ui.top = pad();
  ui.bottom = pad();
  ui.body = make('tbody', {}, ui.top, ui.bottom);
  ui.grid = make('table', { role: 'grid', tabindex: 0, 'aria-label': 'Findings', 'aria-describedby': 'explorer-keys',
    onkeydown: onKey }, make('thead', {}, make('tr', { 'aria-rowindex': 1 }, heads)), ui.body);
  ui.rows = make('div', { class: 'rows', onscroll: () => requestAnimationFrame(draw) }, ui.grid);
  ui.body.addEventListener('click', (event) => {
    const line = event.target.closest('tr[data-row]');
    if (line) activate(Number(line.dataset.index), true);
  });
  ui.one = make('div', { class: 'one', role: 'region', 'aria-label': 'The chosen finding', tabindex: 0,
    onkeydown: (event) => { if (event.key === 'Escape') ui.grid.focus(); } });
}

const badge = (status) => make('span', { class: `v v${status}` }, make('span', { 'aria-hidden': 'true' }, MARK[status]), ` ${STATUS[status]}`);

function lineOf(index) {
  const row = view[index], status = model.status[row], resource = model.resource[row], severity = SEVERITY[model.severity[row]];
  const rule = model.about.rules[model.rule[row]].id, name = model.name[resource], where = whereOf(row), message = messageOf(row);
  const two = (first, second, titles) => make('td', {}, make('div', { class: 'first', title: titles ? first : null }, first),
    make('div', { class: 'second', title: titles ? second : null }, second));
  return make('tr', { id: `row-${row}`, 'data-row': row, 'data-index': index, 'aria-rowindex': index + 2,
    'aria-selected': String(index === active) },
  two(badge(status), make('span', { class: `sev sev-${status ? 'low' : severity}` }, severity)),
  two(rule, message, true), two(name, `${where} · ${word(model.type, resource)}`, true));
}

/** How the rows stand in their window: the height of all, of how many there is room, how far can be scrolled, the first
    row in sight (with a fraction). A table that would be too tall for a browser scrolls in proportion. */
function extent() {
  const total = view.length * rowHeight, tall = Math.min(total, TALLEST), head = ui.grid.tHead.offsetHeight;
  const room = (ui.rows.clientHeight - head) / rowHeight, reach = Math.max(1, tall + head - ui.rows.clientHeight);
  const scaled = total > TALLEST, last = Math.max(0, view.length - room), top = Math.min(ui.rows.scrollTop, reach);
  return { tall, room, first: scaled ? (top / reach) * last : top / rowHeight,
    scrollTo: (row) => { ui.rows.scrollTop = scaled ? (row / last) * reach : row * rowHeight; } };
}

/** The rows to draw, and how tall the padding above and below is. */
function span() {
  const { tall, room, first } = extent();
  const from = Math.max(0, Math.floor(first) - OVER), to = Math.min(view.length, Math.ceil(first + room) + OVER);
  const scaled = view.length * rowHeight > TALLEST;
  const above = scaled ? Math.max(0, ui.rows.scrollTop - (first - from) * rowHeight) : from * rowHeight;
  return { from, to, above, below: Math.max(0, tall - above - (to - from) * rowHeight) };
}

function draw() {
  const { from, to, above, below } = span(), drawn = new Map();
  for (const line of [...ui.body.children].slice(1, -1)) {
    if (line.dataset.index >= from && line.dataset.index < to && Number(line.dataset.row) === view[line.dataset.index]) {
      drawn.set(Number(line.dataset.index), line);
    } else line.remove();
  }
  let after = ui.top;
  for (let index = from; index < to; index++) {
    const line = drawn.get(index) ?? lineOf(index);
    line.setAttribute('aria-selected', String(index === active));
    if (after.nextSibling !== line) after.after(line);
    after = line;
  }
  ui.top.firstChild.style.height = `${above}px`;
  ui.bottom.firstChild.style.height = `${below}px`;
  ui.top.hidden = !above;
  ui.bottom.hidden = !below;
  if (active >= from && active < to) ui.grid.setAttribute('aria-activedescendant', `row-${view[active]}`);
  else ui.grid.removeAttribute('aria-activedescendant');
}

function measure() {
  const line = ui.body.querySelector('tr[data-row]');
  const height = line ? line.getBoundingClientRect().height : 0;
  if (height && Math.abs(height - rowHeight) > .01) {
    rowHeight = height;
    draw();
  }
}

function reveal(index) {
  const { room, first, scrollTo } = extent();
  if (index < first) scrollTo(index);
  else if (index + 1 > first + room) scrollTo(index + 1 - room);
}

function activate(index, cite) {
  if (index < 0 || index >= view.length) return;
  active = index;
  reveal(index);
  draw();
  showOne(view[index]);
  if (cite) {
    state.finding = idOf(view[index]);
    remember();
  }
}

function onKey(event) {
  if (event.target !== ui.grid) return;
  const page = Math.max(1, Math.floor(ui.rows.clientHeight / rowHeight) - 2);
  const moves = { ArrowDown: active + 1, ArrowUp: active - 1, PageDown: active + page, PageUp: active - page, Home: 0, End: view.length - 1 };
  if (event.key in moves && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    activate(Math.max(0, Math.min(view.length - 1, moves[event.key])), true);
  } else if (event.key === 'Enter' && active >= 0) {
    event.preventDefault();
    ui.one.focus();
  }
}

function sortBy(key) {
  state.down = state.sort === key && !state.down;
  state.sort = key;
  refresh(true);
}

/* ---- one finding -------------------------------------------------------------------------------------------- */

const pairs = (rows) => make('dl', { class: 'pairs' }, rows.filter(([, value]) => value)
  .map(([label, value]) => [make('dt', {}, label), make('dd', { class: 'name' }, value)]));
const only = (label, changes) => make('button', { type: 'button', class: 'plainbtn', onclick: () => choose(changes) }, label);

function frameOf(found) {
  const pre = make('pre', { class: 'frame' });
  for (const [number, text, mark] of found) {
    pre.append(make('span', { class: 'ln' }, String(number ?? '')), mark ? make('span', { class: 'caret' }, text) : text, '\n');
  }
  return scroll('source lines', pre);
}
const scroll = (label, child) => make('div', { class: 'scroll', role: 'group', tabindex: 0, 'aria-label': label }, child);

function evidenceOf(detail) {
  return [
    detail.f ? frameOf(detail.f) : null,
    detail.e ? make('dl', { class: 'evidence' }, detail.e.map(([path, observed, expected]) => make('div', {},
      make('dt', {}, path ? make('code', {}, path) : 'observed'),
      make('dd', {}, make('span', { class: 'seen' }, observed), ' ', make('span', { class: 'dim' }, 'expected'), ` ${expected}`)))) : null,
    detail.more ? make('p', { class: 'small dim' }, `and ${plural(detail.more, 'more piece')} of evidence`) : null,
    ...(detail.p ?? []).map((text) => make('p', { class: 'small' }, 'Proposed statement: ', make('code', {}, text))),
    detail.w ? make('p', {}, make('strong', {}, 'For example: '), `${detail.w[0]} calls `, make('code', {}, detail.w[1]), ` on ${detail.w[2]}`,
      detail.w[3].length ? ` with ${detail.w[3].map(([key, value]) => `${key} ${value}`).join(', ')}` : '') : null,
    detail.b ? make('p', {}, `When ${detail.b.map(([name, value]) => `${name} is ${value}`).join(' and ')}.`) : null,
    detail.c ? make('p', {}, make('strong', {}, 'Cause: '), detail.c) : null,
    detail.v ? [make('p', {}, make('strong', {}, detail.v.kind === 'baseline' ? 'In the baseline, accepted by nobody:' : 'Accepted, and still failing:')), pairs(Object.entries(detail.v))] : null,
  ].flat();
}

function showOne(row) {
  const { about } = model, rule = about.rules[model.rule[row]], resource = model.resource[row], status = model.status[row];
  const [code, sentence, remedy] = about.reasons[model.reason[row]], detail = detailOf(row), account = word(model.account, resource);
  const controls = about.controls.filter((control) => control[5].includes(model.rule[row]));
  ui.one.className = `one s${status}`;
  ui.one.replaceChildren(...[
    make('p', {}, badge(status), ' ', make('span', { class: `sev sev-${status ? 'low' : SEVERITY[model.severity[row]]}` }, SEVERITY[model.severity[row]])),
    make('h3', {}, rule.title),
    make('p', { class: 'what' }, messageOf(row)),
    ...evidenceOf(detail),
    status === 1 ? make('p', {}, make('strong', {}, 'What to do: '), remedy || rule.fix) : status !== 3 && status !== 4
      ? make('p', {}, make('strong', {}, 'Fix: '), remedy ? `${remedy} ${rule.fix}` : rule.fix) : null,
    status < 3 && rule.why ? make('p', {}, make('strong', {}, 'Why: '), rule.why) : null,
    pairs([['Resource', model.name[resource]], ['Type', word(model.type, resource)], ['Construct', word(model.construct, resource)],
      ['ARN', arnOf(resource)], ['Where', whereOf(row)], ['Because', `${sentence} (${code})`], ['Handler', rule.handler],
      ['Finding', make('code', {}, idOf(row))]]),
    status > TOLD ? make('p', { class: 'small dim' }, `The evidence of a ${STATUS[status]} is made again from the run: `,
      make('code', {}, `policyengine explain ${idOf(row).slice(0, 12)} --run DIR`)) : null,
    make('p', { class: 'small' }, make('a', { href: `#rule-${rule.id.replace(/[^A-Za-z0-9._-]/g, '_')}` }, rule.id), ' · ',
      only('only this rule', { rule: rule.id }), ' · ', only('only this resource', { q: model.name[resource].includes('"') ? model.name[resource] : `"${model.name[resource]}"` }),
      account ? [' · ', only('only this account', { account })] : [], ' · ',
      make('button', { type: 'button', class: 'plainbtn', 'data-rule': rule.id }, 'rule text')),
    controls.length ? make('details', {}, make('summary', {}, plural(controls.length, 'control')), make('ul', { class: 'plain' },
      controls.map(([framework, control, anchor, , label]) => make('li', {}, make('a', { href: `#${anchor}` }, `${framework} ${control}`), ` ${label}`)))) : null,
  ].filter(Boolean));
  ui.one.scrollTop = 0;
}

/* ---- tools above the table ---------------------------------------------------------------------------------- */

/** Return value -> how many rows; `values` of things of which there are `numbers` rows each. */
function tally(values, numbers) {
  const found = new Map();
  values.forEach((value, i) => { if (value && numbers[i]) found.set(value, (found.get(value) ?? 0) + numbers[i]); });
  return found;
}

function rowsBy(column, length) {
  const found = new Uint32Array(length);
  for (let row = 0; row < model.rows; row++) found[column[row]]++;
  return found;
}

function options(name) {
  const { about } = model;
  if (name === 'control') {
    return about.frameworks.map(([id, title]) => make('optgroup', { label: title }, about.controls.filter(([framework]) => framework === id)
      .map(([framework, control, , , label]) => make('option', { value: `${framework}/${control}` }, `${control} · ${label}`))));
  }
  if (name === 'severity') return choices([...tally(SEVERITY, rowsBy(model.severity, SEVERITY.length))]);
  const perRule = { rule: (rule) => rule.id, family: (rule) => rule.family }[name];
  const counts = perRule ? tally(about.rules.map(perRule), rowsBy(model.rule, about.rules.length))
    : tally(model.name.map((_, i) => word(model[name], i)), model.following);
  return choices([...counts].sort(([a], [b]) => (a < b ? -1 : 1)));
}
const choices = (found) => found.map(([value, number]) => make('option', { value }, `${value} (${count(number)})`));

const TITLES = { severity: 'Severity', family: 'Family', rule: 'Rule', control: 'Control', account: 'Account', region: 'Region', type: 'Type' };

function buildTools() {
  let waiting = 0;
  ui.search = make('input', { type: 'search', autocomplete: 'off', spellcheck: 'false',
    placeholder: 'name, ARN, account, rule, words of a message, finding id',
    oninput: () => { clearTimeout(waiting); waiting = setTimeout(() => { state.q = ui.search.value; refresh(true); }, 90); } });
  ui.selects = Object.fromEntries(FILTERS.map((name) => [name, make('select', { onchange: () => { state[name] = ui.selects[name].value; refresh(true); } },
    make('option', { value: '' }, 'all'), options(name))]));
  const counts = rowsBy(model.status, STATUS.length);
  ui.chips = STATUS.map((text, status) => make('button', { type: 'button', onclick: () => { state.statuses[status] = !state.statuses[status]; refresh(true); } },
    `${text} ${count(counts[status])}`));
  const labelled = FILTERS.filter((name) => ui.selects[name].options.length > 2 || name === 'rule')
    .map((name) => make('label', {}, TITLES[name], ui.selects[name]));
  return [
    make('div', { class: 'tools' }, make('label', { class: 'find' }, 'Search', ui.search), labelled),
    make('fieldset', { class: 'chips' }, make('legend', {}, 'Show'), ui.chips),
  ];
}

function choose(changes) {
  state = { ...clean(), sort: state.sort, down: state.down, statuses: [true, true, true, true, true], ...changes };
  refresh(true);
  $('findings').scrollIntoView();
}

function syncTools() {
  ui.search.value = state.q;
  FILTERS.forEach((name) => { ui.selects[name].value = state[name]; });
  ui.chips.forEach((chip, status) => chip.setAttribute('aria-pressed', String(state.statuses[status])));
  for (const head of ui.grid.tHead.rows[0].cells) {
    const sorted = [...head.children].some((button) => button.dataset.key === state.sort);
    if (sorted) head.setAttribute('aria-sort', state.down ? 'descending' : 'ascending');
    else head.removeAttribute('aria-sort');
    for (const button of head.children) button.classList.toggle('sorting', button.dataset.key === state.sort);
  }
}

/** Filter, sort and draw again; `cite`: the reader did it, so the address follows. */
function refresh(cite) {
  syncTools();
  view = sorted(filtered());
  active = -1;
  ui.grid.setAttribute('aria-rowcount', view.length + 1);
  ui.said.textContent = `${count(view.length)} of ${plural(model.rows, 'finding')}`;
  ui.empty.hidden = view.length > 0;
  ui.rows.scrollTop = 0;
  draw();
  measure();
  if (cite) {
    state.finding = '';
    remember();
    ui.one.replaceChildren(make('p', { class: 'dim' }, 'Choose a finding: it is shown here.'));
  }
}

/* A spreadsheet runs cells that begin like a formula, also after white space, quotes and a list separator, so those
   get an apostrophe (as in csv_report.py). */
const starts = (sign) => '=+-@'.includes(sign.normalize('NFKC')[0]);
function cell(text) {
  const first = /^[\s"'\u2018\u2019\u201c\u201d]*([^])/u.exec(text);
  const after = text.replace(/;([\s"']*)([^])/gu, (all, gap, sign) => (starts(sign) ? `;${gap}'${sign}` : all));
  return `"${(first && starts(first[1]) ? `'${after}` : after).replaceAll('"', '""')}"`;
}

function exportCsv() {
  const head = ['id', 'verdict', 'severity', 'rule', 'account', 'region', 'resource_type', 'resource_id', 'arn', 'where', 'message'];
  const body = Array.from(view, (row) => {
    const resource = model.resource[row];
    return [idOf(row), STATUS[model.status[row]], SEVERITY[model.severity[row]], model.about.rules[model.rule[row]].id, word(model.account, resource),
      word(model.region, resource), word(model.type, resource), model.name[resource], arnOf(resource), whereOf(row), messageOf(row)];
  });
  const text = [head, ...body].map((line) => line.map(cell).join(',')).join('\r\n');
  const link = make('a', { href: URL.createObjectURL(new Blob([text, '\r\n'], { type: 'text/csv' })), download: 'findings.csv' });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/* ---- the address -------------------------------------------------------------------------------------------- */

function remember() {
  const kept = new URLSearchParams(), blank = clean(), show = state.statuses.map((on, i) => (on ? STATUS_KEYS[i] : '')).filter(Boolean).join(',');
  if (state.q) kept.set('q', state.q);
  if (show !== 'fail,unknown,accepted') kept.set('show', show);
  for (const name of FILTERS) if (state[name]) kept.set(name, state[name]);
  if (state.sort !== blank.sort || state.down) kept.set('sort', (state.down ? '-' : '') + state.sort);
  if (state.finding) kept.set('finding', state.finding);
  const text = kept.toString();
  try {
    history.replaceState(null, '', `#findings${text ? `?${text}` : ''}`);
  } catch {
    /* some browsers refuse on pages without an origin: the view is then not in the address */
  }
}

function recall(hash) {
  const kept = new URLSearchParams(hash.slice('#findings'.length + 1)), found = clean();
  const sort = kept.get('sort') ?? 'verdict', show = kept.get('show');
  found.q = kept.get('q') ?? '';
  for (const name of FILTERS) found[name] = kept.get(name) ?? '';
  if (kept.has('control') || kept.has('rule') || kept.has('account') || kept.has('finding')) found.statuses = [true, true, true, true, true];
  if (show !== null) found.statuses = STATUS_KEYS.map((key) => show.split(',').includes(key));
  found.down = sort.startsWith('-');
  found.sort = sort.replace(/^-/, '') in KEYS ? sort.replace(/^-/, '') : 'verdict';
  found.finding = kept.get('finding') ?? '';
  return found;
}

function showState() {
  refresh(false);
  if (!state.finding) return;
  const row = ids().findIndex((id) => id === state.finding || (state.finding.length >= 8 && id.startsWith(state.finding)));
  if (row < 0) {
    ui.one.replaceChildren(make('p', { class: 'none' }, `No finding of this run has the id ${state.finding}: what it was about may be gone, or was not looked at.`));
    return;
  }
  const index = view.indexOf(row);
  if (index >= 0) activate(index, false);
  else showOne(row);
}

function follow() {
  const hash = location.hash;
  if (/^#finding-[0-9a-f]+$/.test(hash)) history.replaceState(null, '', `#findings?finding=${hash.slice(9)}`);
  if (location.hash.startsWith('#findings?')) {
    if (model) {
      state = recall(location.hash);
      showState();
    }
    $('findings').scrollIntoView();
    return;
  }
  const target = hash.length > 1 ? $(decoded(hash.slice(1))) : null;
  if (!target) return;
  for (let box = target; box; box = box.parentElement) if (box.tagName === 'DETAILS') box.open = true;
  target.scrollIntoView();
}
function decoded(text) { try { return decodeURIComponent(text); } catch { return text; } }

/* ---- the rest of the page ----------------------------------------------------------------------------------- */

let texts = null;
async function showRule(id) {
  texts ??= JSON.parse(utf8.decode(await unpack('texts')));
  const at = model.about.rules.findIndex((rule) => rule.id === id), rule = model.about.rules[at];
  if (!rule) return;
  const box = make('dialog', { 'aria-label': rule.id, onclose: () => box.remove() },
    make('h3', {}, rule.title), make('p', {}, rule.why), make('p', {}, make('strong', {}, 'Fix: '), rule.fix),
    scroll(`text of ${rule.id}`, make('pre', {}, texts[at] ?? 'The text of this rule was not given to the report.')),
    make('p', {}, make('button', { type: 'button', onclick: () => box.close() }, 'Close')));
  document.body.append(box);
  box.showModal();
}

/** Names of rules become buttons where there is a script to answer them. */
function nameButtons() {
  for (const name of document.querySelectorAll('span[data-rule]')) {
    name.replaceWith(make('button', { type: 'button', class: 'plainbtn', 'data-rule': name.dataset.rule }, name.textContent));
  }
}

function printing() {
  let opened = [];
  addEventListener('beforeprint', () => {
    opened = [...document.querySelectorAll('details:not([open])')];
    opened.forEach((box) => { box.open = true; });
  });
  addEventListener('afterprint', () => opened.forEach((box) => { box.open = false; }));
}

function localTimes() {
  for (const time of document.querySelectorAll('time')) {
    const at = new Date(time.dateTime);
    if (!Number.isNaN(at.getTime())) time.title = `${at.toLocaleString()} here`;
  }
}

async function start() {
  document.documentElement.classList.add('js');
  localTimes();
  nameButtons();
  printing();
  addEventListener('hashchange', follow);
  document.addEventListener('click', (event) => {
    const button = event.target.closest('button[data-rule]');
    if (button && model) showRule(button.dataset.rule);
  });
  const explorer = $('explorer');
  try {
    model = await load();
  } catch (problem) {
    $('explorer-state').textContent = `The table cannot be shown (${problem.message}); the worst findings are below.`;
    return;
  }
  buildTable();
  ui.said = make('strong', { role: 'status' });
  ui.empty = make('p', { class: 'none', hidden: true }, 'No finding is like this.');
  explorer.replaceChildren(...buildTools(), make('p', { class: 'status' }, ui.said,
    make('button', { type: 'button', class: 'plainbtn', onclick: () => { state = clean(); refresh(true); } }, 'Reset'),
    make('button', { type: 'button', class: 'plainbtn', onclick: exportCsv }, 'Save as CSV'),
    make('span', { class: 'dim small', id: 'explorer-keys' }, 'Arrow keys move, Enter goes to the finding; the address of the page holds this view.')),
  make('div', { class: 'view' }, make('div', {}, ui.rows, ui.empty), ui.one));
  document.documentElement.classList.add('data');
  addEventListener('resize', () => requestAnimationFrame(draw));
  if (location.hash.startsWith('#findings?') || location.hash.startsWith('#finding-')) follow();
  else {
    refresh(false);
    if (view.length) activate(0, false);
    follow();
  }
  (globalThis.requestIdleCallback ?? setTimeout)(searchable); // so that the first search is as quick as the next
  document.documentElement.dataset.ready = String(Math.round(performance.now()));
}

start();
})();
