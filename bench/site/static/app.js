"use strict";
/* The pages of the report. The address holds everything that a view shows: #/view/place?name=value.
   Data come as scripts that call GB.put, because a page from the file system may load nothing else.
   Every text of a row enters the page as text, never as markup. */
const GB = (() => {
  const parts = {}, waiting = {};
  let index = null, table = null;

  // ---- data

  function put(name, value) {
    parts[name] = value;
    if (name === "index") { index = value; start(); }
    (waiting[name] || []).forEach((done) => done(value));
    delete waiting[name];
  }

  function part(name) {
    if (name in parts) return Promise.resolve(parts[name]);
    return new Promise((done, failed) => {
      if (waiting[name]) { waiting[name].push(done); return; }
      waiting[name] = [done];
      const script = document.createElement("script");
      script.src = `data/${name}.js`;
      script.onerror = () => { delete waiting[name]; failed(new Error(`data/${name}.js is not in this folder`)); };
      document.head.append(script);
    });
  }

  /* a file of one run */
  const own = (kind, at) => part(`${kind}-${index.runs[at].part}`);

  // ---- words

  const WORDS = {
    agrees: ["agrees", "✓"], limited: ["known departure", "◐"], imprecise: ["imprecise", "≈"], disagrees: ["disagrees", "✗"],
    error: ["failed", "!"], mistrusted: ["no verdict", "?"], missing: ["not written", "∅"], absent: ["not offered", "–"],
  };
  const NAMES = { numpy: "NumPy", torch: "PyTorch", tensorflow: "TensorFlow", jax: "JAX" };
  const SHAPES = { numpy: ["■", "□"], torch: ["●", "○"], tensorflow: ["▲", "△"], jax: ["◆", "◇"] };
  const WAYS = { fwd: "value", bwd: "gradient" };
  const DIRECTIONS = { forward: "value", gradient: "gradient", training: "training step" };
  const MODES = { function: "tf.function", xla: "XLA", compile: "torch.compile" };
  const NOT_RUN = ["absent", "missing"], WRONG = ["disagrees", "error"];
  const mode = (name) => MODES[name] || name;
  const word = (status) => (WORDS[status] || [status, "?"])[0];
  const sign = (status) => (WORDS[status] || [status, "?"])[1];
  const named = (backend) => NAMES[backend] || (index.backends.find((b) => b.name === backend) || {}).shown || backend;
  const kind = (backend) => (backend in NAMES ? backend : "other");
  const shape = (backend, second) => (SHAPES[backend] || ["★", "☆"])[second ? 1 : 0];
  const rank = (status) => index.worst.indexOf(status);
  /* for an order with what departs first, the worst on top, and what did not run last */
  const first = (status) => (NOT_RUN.includes(status) ? -1 : rank(status));

  // ---- numbers

  const digits = (x, n) => {
    const text = Number(x).toPrecision(n);
    return text.includes("e") ? String(Number(text)) : text;
  };
  function seconds(x) {
    if (x == null) return "";
    const [unit, name] = x < 1e-6 ? [1e-9, "ns"] : x < 1e-3 ? [1e-6, "µs"] : x < 1 ? [1e-3, "ms"] : [1, "s"];
    return `${x / unit >= 100 ? Math.round(x / unit) : digits(x / unit, 2)} ${name}`;
  }
  function scaled(x) {
    if (x == null) return "";
    for (const [unit, name] of [[1e12, " T"], [1e9, " G"], [1e6, " M"], [1e3, " k"]]) if (x >= unit) return (x / unit >= 100 ? Math.round(x / unit) : digits(x / unit, 2)) + name;
    return x >= 100 ? String(Math.round(x)) : digits(x, 2);
  }
  const times = (x) => (x >= 100 ? `${Math.round(x)}×` : x >= 10 ? `${digits(x, 2)}×` : `${Number(x).toFixed(x < 1.95 ? 2 : 1)}×`);
  const large = (x) => (typeof x === "number" ? (x >= 1000 ? whole(Math.round(x)) : digits(x, 2)) : x === "inf" ? "any number of" : String(x));
  const whole = (x) => Number(x).toLocaleString("en");
  const bitsOf = (row) => (row.bits == null ? null : Math.max(0, Math.round(row.bits)));
  const percent = (x) => (x == null ? "" : x >= 0.1 ? `${Math.floor(100 * x)} %` : `${digits(100 * x, 2)} %`);

  // ---- elements

  function h(tag, given, ...children) {
    const [name, ...classes] = tag.split(".");
    const made = document.createElement(name || "div");
    if (classes.length) made.className = classes.join(" ");
    return fill(made, given, children);
  }
  function s(tag, given, ...children) {
    return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), given, children);
  }
  function fill(made, given, children) {
    if (given instanceof Node || typeof given !== "object" || given === null || Array.isArray(given)) { children = [given, ...children]; given = {}; }
    for (const [name, value] of Object.entries(given)) {
      if (name.startsWith("--")) made.style.setProperty(name, value);
      else if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
      else if (name === "style") for (const [property, each] of Object.entries(value)) made.style.setProperty(property, each);
      else if (value != null && value !== false) made.setAttribute(name, value === true ? "" : value);
    }
    made.append(...children.flat(9).filter((each) => each != null && each !== false && each !== ""));
    return made;
  }

  // ---- address

  function where() {
    const [path, query] = (location.hash.slice(1) || "/right").split("?");
    const [view, ...place] = path.replace(/^\//, "").split("/");
    return { view: view || "right", place: decode(place.join("/")), given: Object.fromEntries(new URLSearchParams(query || "")) };
  }
  function decode(text) { try { return decodeURIComponent(text); } catch { return text; } }
  function address(view, place, given) {
    const query = new URLSearchParams(Object.entries(given || {}).filter(([, value]) => value != null && value !== ""));
    return `#/${view}${place ? "/" + encodeURIComponent(place) : ""}${String(query) ? "?" + query : ""}`;
  }
  /* the address of this view with other values */
  function other(changed) {
    const { view, place, given } = where();
    return address(view, place, { ...given, ...changed });
  }

  // ---- parts of pages

  function label(run) {
    const cards = run.gpus.length ? ` · ${run.gpus[0]}` : "";
    const threads = run.threads ? ` · ${run.threads} thread${run.threads === 1 ? "" : "s"}` : "";
    const name = (each) => `${each.cpu} ${each.machine} ${each.gpus} ${each.threads} ${each.settings} ${each.date}`;
    const twins = index.runs.filter((each) => name(each) === name(run)).length > 1; // told apart by the time of day
    const time = twins && /^\d{8}T\d{4}/.test(run.id) ? ` ${run.id.slice(9, 11)}:${run.id.slice(11, 13)}` : "";
    return `${run.cpu} ${run.machine.slice(0, 4)}${cards}${threads}${run.settings ? " · " + run.settings : ""} · ${run.date.replaceAll("-", "\u2011")}${time}`;
  }
  /* the newest run with declared settings and the most threads: not one "as shipped" */
  function usual(filter) {
    const found = index.runs.map((run, at) => ({ run, at })).filter(filter || (() => true));
    found.sort((a, b) => Boolean(a.run.settings) - Boolean(b.run.settings) || (b.run.threads || 0) - (a.run.threads || 0) || (a.run.date < b.run.date) - (a.run.date > b.run.date) || b.run.cells - a.run.cells);
    return found.length ? found[0].at : 0;
  }
  function chosen(given, name, fallback) {
    const at = index.runs.findIndex((run) => run.id === given[name]);
    return at >= 0 ? at : fallback;
  }
  function runs(name, text, at, none) {
    const options = index.runs.map((run, place) => h("option", { value: run.id, selected: place === at }, label(run)));
    if (none) options.unshift(h("option", { value: "", selected: at == null }, none));
    return h("label", text, h("select", { onchange: (event) => { location.hash = other({ [name]: event.target.value, page: "" }); } }, options));
  }
  function choice(name, values, now, shown, text) {
    const links = values.map((each) => h("a", { href: other({ [name]: each, page: "" }), "aria-current": String(each) === String(now) ? "true" : null }, shown ? shown(each) : each));
    return h("span.choice", { role: "group", "aria-label": text || name }, links);
  }
  function search(now) {
    const input = h("input", { type: "search", value: now || "", placeholder: "formula…", "aria-label": "Search formulas" });
    input.addEventListener("change", () => { location.hash = other({ q: input.value.trim(), page: "" }); });
    return input;
  }
  const matches = (text, query) => !query || text.toLowerCase().includes(query.toLowerCase());

  function tile(status, bits, most, href, spoken, text) {
    const reference = text === "reference";
    const shown = text != null ? text : bits == null ? "" : String(bits);
    const inside = [status === "agrees" ? "" : h("span", { "aria-hidden": "true" }, sign(status)), h("span.n", shown)];
    const given = { "aria-label": `${spoken}: ${reference ? "the reference" : word(status)}${bits == null ? "" : `, ${bits} of ${most} bits`}` };
    if (bits != null && most) given["--part"] = `${Math.min(100, (100 * bits) / most)}%`;
    if (href) given.href = href; else given.role = "img";
    return h(`${href ? "a" : "span"}.tile.${reference ? "reference" : status}`, given, inside);
  }
  const tag = (status) => h(`span.tag.${status}`, h("span", { "aria-hidden": "true" }, sign(status)), word(status));
  const mark = (backend, second) => h(`span.${kind(backend)}`, { "aria-hidden": "true" }, shape(backend, second));
  const cellLink = (id, run, backend, ...inside) => h("a", { href: address("c", id, { run: index.runs[run].id, backend }) }, ...inside);

  /* a table whose columns sort by the address; columns: {name, value, show, right} */
  function sortable(columns, rows, given, options = {}) {
    const down = (given.sort || "").startsWith("-"), by = (given.sort || "").replace(/^-/, "");
    const column = columns.find((each) => each.name === by);
    const sorted = column ? [...rows].sort((a, b) => order(column.value(a), column.value(b)) * (down ? -1 : 1)) : rows;
    table = { columns, rows: sorted };
    const size = options.page || sorted.length || 1, pages = Math.max(1, Math.ceil(sorted.length / size));
    const page = Math.min(pages, Math.max(1, Math.floor(Number(given.page)) || 1));
    const heads = columns.map((each) => {
      const now = each.name === by;
      const next = now && !down ? `-${each.name}` : now ? "" : each.name;
      const button = h("button", { type: "button", onclick: () => { location.hash = other({ sort: next, page: "" }); } }, each.name, now ? (down ? " ↓" : " ↑") : "");
      return h(`th${each.right ? ".r" : ""}`, { scope: "col", "aria-sort": now ? (down ? "descending" : "ascending") : null, style: each.wide ? { width: each.wide } : {} }, each.head ? each.head() : button);
    });
    const body = sorted.slice((page - 1) * size, page * size).map((row) => h("tr", columns.map((each, at) => h(`${at ? "td" : "th"}${each.right ? ".r" : ""}`, at ? { "data-name": each.name } : { scope: "row" }, each.show ? each.show(row) : text(each.value(row))))));
    const made = h("div.scroll", h("table.stack", h("thead", h("tr", heads)), h("tbody", body)));
    if (pages === 1) return made;
    const pager = h("div.pager", page > 1 ? h("a", { href: other({ page: page - 1 }) }, "← before") : "", h("span", `${whole((page - 1) * size + 1)} to ${whole(Math.min(page * size, sorted.length))} of ${whole(sorted.length)}`), page < pages ? h("a", { href: other({ page: page + 1 }) }, "after →") : "");
    return [pager, made];
  }
  const text = (value) => (value == null ? "" : String(value));
  function order(a, b) {
    if (a == null || b == null) return (a == null) - (b == null);
    return typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b));
  }

  // ---- copy

  function plain(form) {
    const names = table.columns.map((each) => each.name);
    const rows = table.rows.map((row) => table.columns.map((each) => text(each.copy ? each.copy(row) : each.value(row))));
    const link = location.href;
    if (form === "csv") return [names, ...rows].map((line) => line.map((each) => `"${guarded(each).replace(/"/g, '""')}"`).join(",")).join("\n") + "\n";
    const safe = (each) => each.replace(/[\\`*_{}[\]<>|#~!]/g, "\\$&").replace(/\s+/g, " ");
    const line = (cells) => `| ${cells.map(safe).join(" | ")} |`;
    return [line(names), `|${" --- |".repeat(names.length)}`, ...rows.map(line), "", `<${link}>`].join("\n") + "\n";
  }
  /* a spreadsheet must not take a text for a formula */
  const guarded = (each) => (/^[=+\-@\t\r]/.test(each) && Number.isNaN(Number(each)) ? `'${each}` : each);
  async function copy(value) {
    try { await navigator.clipboard.writeText(value); } catch {
      const area = h("textarea", { style: { position: "fixed", top: "-99em" } });
      document.body.append(area);
      area.value = value; area.select(); document.execCommand("copy"); area.remove();
    }
    say("Copied.");
  }
  const copies = () => h("span", { style: { "margin-left": "auto" } }, ["markdown", "csv"].map((form) => [h("button", { type: "button", onclick: () => copy(plain(form)) }, form === "csv" ? "Copy as CSV" : "Copy as Markdown"), " "]));
  function say(words) { document.getElementById("said").textContent = words; }

  // ---- right?

  async function right({ given }) {
    const at = chosen(given, "run", usual());
    const verdicts = await own("verdicts", at), dtypes = index.dtypes.filter((each) => verdicts[each]);
    const dtype = dtypes.includes(given.dtype) ? given.dtype : dtypes.includes("float32") ? "float32" : dtypes[0];
    const show = given.show || "departures first", most = index.bits[dtype];
    const found = verdicts[dtype] || {};
    const backends = index.backends.map((each) => each.name).filter((name) => Object.values(found).some((line) => line[name]));
    const formulas = index.formulas.filter((each) => found[each.name] && matches(`${each.name} ${each.title}`, given.q));
    const worst = (name) => Math.max(...backends.flatMap((backend) => ways(found[name][backend]).map(([, entry]) => first(entry[0]))));
    const least = (name) => Math.min(...backends.flatMap((backend) => ways(found[name][backend]).map(([, entry]) => (NOT_RUN.includes(entry[0]) || entry[0] === "agrees" ? 99 : entry[1] == null ? -1 : entry[1]))));
    const departing = formulas.filter((each) => worst(each.name) > rank("agrees"));
    departing.sort((a, b) => WRONG.includes(index.worst[worst(b.name)]) - WRONG.includes(index.worst[worst(a.name)]) || least(a.name) - least(b.name));
    const rest = formulas.filter((each) => !departing.includes(each));
    const columns = backends.flatMap((backend) => Object.keys(WAYS).map((way) => [backend, way]));
    table = {
      columns: [{ name: "formula", value: (each) => each.name }, ...columns.map(([backend, way]) => ({ name: `${named(backend)} ${WAYS[way]}`, value: (each) => { const entry = (found[each.name][backend] || {})[way]; return entry ? `${word(entry[0])}${entry[1] == null ? "" : " " + entry[1]}` : ""; } }))],
      rows: show === "by page" ? formulas : show === "departures only" ? departing : [...departing, ...rest],
    };
    const line = (each) => h("tr", h("th", { scope: "row" }, h("a", { href: address("f", each.name, { run: index.runs[at].id }) }, each.name)), backends.flatMap((backend, place) => [
      place ? h("td.gap") : "",
      ...Object.keys(WAYS).map((way) => {
        const entry = (found[each.name][backend] || {})[way];
        if (!entry) return h("td");
        const reference = backend === "numpy" && dtype === "float64" && entry[0] === "agrees";
        const href = address("f", each.name, { run: index.runs[at].id, backend });
        return h("td", h("span.way", { "aria-hidden": "true" }, `${named(backend)}${way === "bwd" ? " ∂" : ""}`), tile(entry[0], entry[1], most, href, `${each.name}, ${named(backend)}, ${WAYS[way]}`, reference ? "reference" : null));
      }),
    ]));
    const head = h("thead",
      h("tr", h("th.first", { scope: "col" }, "formula"), backends.flatMap((backend, place) => [place ? h("td.gap") : "", h("th", { colspan: 2, scope: "colgroup" }, named(backend))])),
      h("tr", h("td"), backends.flatMap((backend, place) => [place ? h("td.gap") : "", ...Object.values(WAYS).map((each) => h("th.small", { scope: "col" }, each))])));
    const group = (words) => h("tbody", h("tr.group", h("th", { colspan: 3 * backends.length, scope: "rowgroup" }, words)));
    const body = show === "by page" ? [h("tbody", formulas.map(line))] : [
      departing.length ? [group(`Where something departs: ${departing.length} of ${formulas.length} formulas, the most bits lost first`), h("tbody", departing.map(line))] : "",
      show === "departures only" || !rest.length ? "" : [group(`What agrees: ${rest.length} formulas`), h("tbody", rest.map(line))],
    ];
    return [
      h("h1", "Is the arithmetic right?"),
      h("p.lead", "Every formula of every framework against a NumPy reference. How far a result may be off is derived from rounding, element by element, and never picked by hand."),
      h("div.cards", backends.map((backend) => card(found, backend, index.runs[at]))),
      h("div.controls", runs("run", "Machine", at), choice("dtype", dtypes, dtype), choice("show", ["departures first", "by page", "departures only"], show, null, "Order"), search(given.q), copies()),
      h("div.legend", h("span", `The number is how many of the ${most} bits are right in the worst cell; the tile is filled as far.`), ["agrees", "limited", "imprecise", "disagrees", "error", "mistrusted", "absent"].map((each) => h("span", tile(each, { agrees: most, limited: Math.round(0.7 * most), imprecise: Math.round(0.85 * most), disagrees: 3 }[each], most, null, "sign"), word(each)))),
      h("table.matrix", head, body.flat()),
      formulas.length ? "" : h("p", "No formula matches."),
    ];
  }
  const ways = (line) => Object.entries(line || {});

  function card(found, backend, run) {
    const lines = Object.values(found).map((line) => ways(line[backend]).map(([, entry]) => entry)).map((entries) => entries.filter((entry) => !NOT_RUN.includes(entry[0]))).filter((entries) => entries.length);
    const worst = lines.map((entries) => index.worst[Math.max(...entries.map((entry) => rank(entry[0])))]);
    const count = (...statuses) => worst.filter((each) => statuses.includes(each)).length;
    const agree = count("agrees"), departs = count("limited"), unsure = count("imprecise", "mistrusted"), wrong = count(...WRONG);
    const sum = (place) => lines.flat().reduce((all, entry) => all + entry[place], 0);
    const part = (number, colour) => (number ? h("span", { style: { flex: String(number), background: `var(--${colour})` } }) : "");
    const several = (number, words) => `${number} formula${number === 1 ? "" : "s"} ${words}`;
    return h("div.card", h("h2.minor", mark(backend), ` ${named(backend)} `, h("span.small", run.versions[backend] || "")),
      h("div", h("span.big", String(agree)), h("span.small", `of ${lines.length} formulas agree`)),
      h("div.bar", { "aria-hidden": "true" }, part(agree, "steel"), part(departs, "amber"), part(unsure, "yellow"), part(wrong, "red")),
      wrong ? h("p.bad", several(wrong, wrong === 1 ? "disagrees or failed" : "disagree or failed")) : "",
      departs ? h("p", several(departs, "with known departures")) : "",
      unsure ? h("p", `${unsure} imprecise or without a verdict`) : "",
      h("p", `${whole(sum(3))} of ${whole(sum(2))} cells agree`));
  }

  // ---- fast?

  async function fast({ given }) {
    const able = ({ run }) => run.speeds > 0;
    if (!index.runs.some((run) => run.speeds)) return [h("h1", "How fast, and for how many bits?"), h("p", "No speed was measured in these runs.")];
    const at = chosen(given, "run", usual(able)), beside = chosen(given, "vs", null);
    const [one, two, hardware] = await Promise.all([own("speeds", at), beside == null ? null : own("speeds", beside), part("hardware")]);
    const direction = given.direction || "all";
    const fits = (each) => (direction === "all" || DIRECTIONS[each.direction] === direction) && matches(`${each.title} ${each.case}`, given.q);
    const seconds2 = Object.fromEntries((two ? two.headlines : []).map((each) => [key(each), each]));
    const shown = one.headlines.filter(fits), calls = one.calls.filter(fits);
    const backends = index.backends.map((each) => each.name).filter((name) => one.headlines.concat(one.calls).some((each) => each.contenders.some((c) => c.backend === name)));
    const most = Math.max(3, ...shown.flatMap((each) => [...each.contenders.map((c) => c.ratio_high || c.ratio), ...((seconds2[key(each)] || {}).contenders || []).map((c) => c.median / each.contenders[0].median)]));
    const scale = (x) => Math.min(100, Math.max(0, (100 * Math.log(Math.max(x, 1))) / Math.log(most * 1.1)));
    const ticks = [1, 3, 10, 30, 100, 300, 1000, 3000].filter((x) => x < most * 1.1);
    const spread = (each) => each.contenders[each.contenders.length - 1].ratio;
    const faster = (each) => { const match = seconds2[key(each)]; return match ? each.contenders[0].median / match.contenders[0].median : null; };
    const columns = [
      { name: "workload", value: (each) => `${each.title} ${DIRECTIONS[each.direction]}`, show: (each) => h("span", h("a", { href: address("f", each.case, { run: index.runs[at].id }) }, each.title), " ", h("span.small", DIRECTIONS[each.direction])), wide: "27%" },
      { name: "fastest", value: (each) => each.contenders[0].median, copy: (each) => `${named(each.contenders[0].backend)} ${seconds(each.contenders[0].median)}`, show: (each) => [h("strong", seconds(each.contenders[0].median)), h("br"), h("span.small", `${named(each.contenders[0].backend)}, ${scaled(each.contenders[0].rate)} ${each.unit}/s`)], right: true },
      { name: "time, as a multiple of the fastest", value: spread, copy: (each) => each.contenders.map((c) => `${named(c.backend)} ${times(c.ratio)}`).join(", "), show: (each) => [track(each, each.contenders[0].median, scale, ticks, at, false), seconds2[key(each)] ? track(seconds2[key(each)], each.contenders[0].median, scale, ticks, beside, true) : ""], head: () => h("span", "time, as a multiple of the fastest", h("span.ticks", { style: { display: "block" }, "aria-hidden": "true" }, ticks.map((x) => h("span", { style: { left: `${scale(x)}%` } }, `${x}×`)))), wide: "40%" },
      { name: "slowest", value: spread, show: (each) => (each.contenders.length > 1 ? times(spread(each)) : h("span.small", "alone")), right: true },
      ...(shown.some((each) => each.contenders[0].share != null) ? [{ name: "of the machine's limit", value: (each) => each.contenders[0].share, show: (each) => (each.contenders[0].dispatch ? h("span.small", "a call's own cost") : percent(each.contenders[0].share)), right: true }] : []),
      ...(two ? [{ name: "second, times as fast", value: faster, show: (each) => (faster(each) == null ? "" : times(faster(each))), right: true }] : []),
    ];
    const callColumns = [
      { name: "formula", value: (each) => each.title, show: (each) => h("a", { href: address("f", each.case, { run: index.runs[at].id }) }, each.title) },
      { name: "direction", value: (each) => DIRECTIONS[each.direction] },
      ...backends.map((backend) => ({ name: named(backend), right: true, value: (each) => (each.contenders.find((c) => c.backend === backend) || {}).median, show: (each) => seconds((each.contenders.find((c) => c.backend === backend) || {}).median) })),
    ];
    const head = shown.length ? sortable(columns, shown, given) : h("p", one.headlines.length ? "No workload matches." : "No workload at the size that people run was timed in this run.");
    const headTable = table;
    const small = calls.length ? [h("h2", "What one call costs"), h("p.note", "The smallest size of each formula: this is dispatch, and takes no part in the multiples above."), sortable(callColumns, calls, { sort: given.sort })] : "";
    if (shown.length) table = headTable;
    return [
      h("h1", "How fast, and for how many bits?"),
      h("p.lead", "All contenders of a workload are timed in one session, in interleaved rounds, at the size that people run. A mark is a framework's fastest API and mode; its bar is the 95 % interval. No speed stands where the result disagrees."),
      h("div.controls", runs("run", "Machine", at), runs("vs", "beside", beside, "nothing"), choice("direction", ["all", "value", "gradient", "training step"], direction), search(given.q)),
      h("div.cards.broad", multiples(one, at, false), two ? multiples(two, beside, true) : "", two ? against(hardware, at, beside) : ""),
      h("div.legend", backends.map((backend) => h("span", mark(backend), named(backend))), two ? h("span", "filled: the first machine; hollow: the second") : "", h("span", "◐ with a number: bought with a known departure, so many bits are right"), copies()),
      head, small,
    ];
  }
  function track(each, base, scale, ticks, run, second) {
    const spoken = each.contenders.map((c) => `${named(c.backend)} ${times(c.median / base)}`).join(", ");
    const factor = each.contenders[0].median / base;
    return h("div.track", { role: "group", "aria-label": spoken }, ticks.map((x) => h("i", { style: { left: `${scale(x)}%` }, "aria-hidden": "true" })), [...each.contenders].reverse().map((c) => {
      const ratio = c.ratio * factor, low = scale(c.ratio_low * factor), high = scale(c.ratio_high * factor);
      const departs = c.status === "limited";
      const title = `${named(c.backend)} ${c.contender} ${mode(c.mode)}: ${seconds(c.median)}, ${times(ratio)}${departs ? `, known departure, ${Math.round(c.bits)} bits` : ""}`;
      return [
        c.ratio === 1 ? "" : h(`span.range.${kind(c.backend)}`, { "aria-hidden": "true", style: { left: `${low}%`, width: `${Math.max(0.3, high - low)}%`, background: "currentColor" } }),
        h(`a.dot.${kind(c.backend)}${departs ? ".limited" : ""}`, { href: address("c", c.cell, { run: index.runs[run].id, backend: c.backend }), title, "aria-label": title, style: { left: `${scale(ratio)}%`, "text-decoration": "none" } }, shape(c.backend, second)),
      ];
    }));
  }
  function multiples(speeds, at, second) {
    const { n, lines } = speeds.multiples;
    return h("div.card", h("h2.minor", label(index.runs[at])),
      h("p", n ? `Time as a multiple of the fastest: geometric mean over ${n} workloads that all of them time, 95 % interval` : "No workload was timed by all frameworks of this run."),
      h("table", h("tbody", lines.map((each) => h("tr", h("th", { scope: "row" }, mark(each.backend, second), " ", named(each.backend)), h("td.r", h("strong", times(each.mean))), h("td.r.small", `${times(each.low)} to ${times(each.high)}`), h("td.r.small", `first in ${each.first}`))))));
  }
  const key = (each) => [each.case, each.size, each.device, each.dtype, each.direction].join("/");
  const whose = (framework) => (framework === "best" ? "fastest of all" : [mark(framework), " ", named(framework)]);
  const range = (each) => `${times(each.low)} to ${times(each.high)}`;
  /* two runs: the numbers are of the states of their machines, and were computed when the report was made */
  function against(hardware, at, beside) {
    const place = (run) => hardware.states.findIndex((state) => state.runs.includes(index.runs[run].id));
    const a = place(at), b = place(beside), head = h("h2.minor", "The second against the first");
    if (a < 0 || b < 0) return h("div.card", head, h("p", "One of them has no speed of a workload that people run."));
    if (a === b) return h("div.card", head, h("p", `Both are runs of one state of one machine: what they differ by is noise. ${band(hardware.states[a].noise)}`));
    const { means, floor, differs } = hardware.pairs[`${a}-${b}`];
    const runs = hardware.states[a].runs.length + hardware.states[b].runs.length;
    return h("div.card", head,
      h("p", "How many times as fast the second is: geometric mean over the workloads that both have and none is bound by dispatch in; 95 % interval over formulas."),
      differs.length ? h("p.bad", `The second differs: ${differs.join("; ")}.`) : "",
      h("p", floor == null ? "Not both have a repeat, so how far repeats differ is not known: a small difference may be noise." : band(floor)),
      runs > 2 ? h("p", `Repeats count as their median: ${runs} runs.`) : "",
      means.length ? h("table", h("tbody", means.map((each) => h("tr", h("th", { scope: "row" }, whose(each.framework)), h("td.r", h("strong", times(each.relative))), h("td.r.small", range(each)), h("td.r.small", `${each.n} workloads`), h("td.r.small", each.beyond === false ? "noise" : ""))))) : h("p", "They have no workload in common."));
  }
  const band = (floor) => (floor == null ? "" : `95 % of the cells of two such runs differ by less than ${portion(floor)}: from ${digits(1 / (1 + floor), 3)}× to ${digits(1 + floor, 3)}× says nothing.`);
  function grouped(found) { const all = {}; for (const each of found) (all[each.group] = all[each.group] || []).push(each); return all; }

  // ---- growth

  async function growth({ given }) {
    const able = ({ run }) => run.speeds > 0;
    const at = chosen(given, "run", usual(able));
    const { growth: panels } = await own("speeds", at);
    const rows = panels.flatMap((panel) => Object.entries(panel.curves).flatMap(([name, points]) => points.map((point) => ({ panel, name, point }))));
    table = { columns: [{ name: "workload", value: (r) => r.panel.title }, { name: "framework", value: (r) => r.name }, { name: "unit", value: (r) => r.panel.unit }, { name: "size", value: (r) => r.point[0] }, { name: "seconds", value: (r) => r.point[1] }], rows };
    return [
      h("h1", "How does time grow?"),
      h("p.lead", "Time of a call over its size, both on logarithmic scales. Hollow: a call's own cost takes most of the time."),
      h("div.controls", runs("run", "Machine", at), copies()),
      panels.length ? h("div.panels", panels.map(panelOf)) : h("p", "This run timed one size of each workload: `pytest suites/ --growth` times several."),
    ];
  }
  function panelOf(panel) {
    const W = 300, H = 190, L = 48, B = 30, T = 8, R = 8;
    const points = Object.values(panel.curves).flat(), xs = points.map((p) => p[0]), ys = points.map((p) => p[1]);
    const axis = (values, low, high) => { const a = Math.log(Math.min(...values)), b = Math.log(Math.max(...values)); return (x) => (b > a ? low + ((Math.log(x) - a) / (b - a)) * (high - low) : (low + high) / 2); };
    const x = axis(xs, L, W - R), y = axis(ys, H - B, T);
    const curves = Object.entries(panel.curves).flatMap(([name, curve]) => {
      const backend = name.split(" ")[0];
      const line = curve.map((p, at) => `${at ? "L" : "M"}${x(p[0]).toFixed(1)} ${y(p[1]).toFixed(1)}`).join("");
      return s("g", { class: kind(backend), stroke: "currentColor" }, s("path", { class: "curve", d: line }), curve.map((p) => s("circle", { cx: x(p[0]).toFixed(1), cy: y(p[1]).toFixed(1), r: 3, fill: p[3] ? "var(--card)" : "currentColor" }, s("title", `${name}: ${scaled(p[0])} ${panel.unit}, ${seconds(p[1])}`))));
    });
    const words = (at, along, anchor, value) => s("text", { x: at, y: along, "text-anchor": anchor }, value);
    const spoken = Object.entries(panel.curves).map(([name, curve]) => `${name} ${seconds(curve[0][1])} to ${seconds(curve[curve.length - 1][1])}`).join("; ");
    return h("div.card", h("h2.minor", panel.title), s("svg", { viewBox: `0 0 ${W} ${H}`, role: "img", "aria-label": spoken },
      s("path", { class: "axis", d: `M${L} ${T}V${H - B}H${W - R}`, fill: "none" }),
      words(L - 6, T + 9, "end", seconds(Math.max(...ys))), words(L - 6, H - B, "end", seconds(Math.min(...ys))), words(L, H - 12, "start", scaled(Math.min(...xs))), words(W - R, H - 12, "end", `${scaled(Math.max(...xs))} ${panel.unit}`), curves),
    h("div.legend", Object.keys(panel.curves).map((name) => h("span", mark(name.split(" ")[0]), named(name.split(" ")[0])))));
  }

  // ---- all cells

  const FACETS = ["status", "backend", "dtype", "direction", "mode", "case"];
  async function cells({ given }) {
    const at = chosen(given, "run", usual());
    const data = await own("cells", at);
    const columns = data.columns;
    const value = (name, row) => { const column = columns[name]; return column.texts ? column.texts[column.at[row]] : column[row]; };
    const all = Array.from({ length: data.rows }, (_, row) => row);
    const passes = (row, except) => FACETS.every((name) => name === except || !given[name] || value(name, row) === given[name]) && matches(`${value("case", row)} ${value("option", row)} ${value("regime", row)} ${value("contender", row)}`, given.q);
    const facets = FACETS.map((name) => {
      const counts = {};
      for (const row of all) if (passes(row, name)) { const each = value(name, row); counts[each] = (counts[each] || 0) + 1; }
      const entries = Object.entries(counts).sort((a, b) => (name === "status" ? first(b[0]) - first(a[0]) : b[1] - a[1]));
      const shown = entries.slice(0, 8), more = entries.length - shown.length;
      return h("div", h("h2.minor", name === "case" ? "formula" : name), h("ul", shown.map(([each, number]) => h("li", h("a", { href: other({ [name]: given[name] === each ? "" : each, page: "" }), "aria-current": given[name] === each ? "true" : null }, name === "status" ? `${sign(each)} ${word(each)}` : name === "backend" ? named(each) : name === "direction" ? DIRECTIONS[each] || each : name === "mode" ? mode(each) : each), h("span.small", ` ${whole(number)}`))), more > 0 ? h("li.small", `and ${more} more: search`) : ""));
    });
    const rows = all.filter((row) => passes(row)).sort((a, b) => first(value("status", b)) - first(value("status", a)) || (value("bits", a) ?? 99) - (value("bits", b) ?? 99));
    const id = (row) => idOf(Object.fromEntries(Object.keys(columns).map((name) => [name, value(name, row)])));
    const shownColumns = [
      { name: "cell", value: id, show: (row) => cellLink(id(row), at, value("backend", row), `${value("case", row)}/${value("option", row)}/${value("regime", row)}/${value("size", row)}`) },
      { name: "API", value: (row) => value("contender", row), show: (row) => [mark(value("backend", row)), " ", h("code", value("contender", row))] },
      { name: "how", value: (row) => `${mode(value("mode", row))} ${value("device", row)} ${value("dtype", row)} ${DIRECTIONS[value("direction", row)] || value("direction", row)}` },
      { name: "verdict", value: (row) => -rank(value("status", row)), copy: (row) => word(value("status", row)), show: (row) => tag(value("status", row)) },
      { name: "bits", value: (row) => value("bits", row), show: (row) => (value("bits", row) == null ? "" : String(Math.max(0, Math.round(value("bits", row))))), right: true },
      { name: "time", value: (row) => value("median_s", row), show: (row) => seconds(value("median_s", row)), right: true },
    ];
    say(`${whole(rows.length)} cells`);
    return [
      h("h1", "All cells"),
      h("p.lead", `${whole(rows.length)} of ${whole(data.of)} cells`, data.rows < data.of ? ": of so many, this page lists what departs; what agrees is on the page of its formula" : "", "."),
      h("div.controls", runs("run", "Machine", at), search(given.q), copies()),
      h("div.facets", facets), sortable(shownColumns, rows, given, { page: 100 }),
    ];
  }
  function idOf(row) {
    const who = row.backend in NAMES ? row.contender : `${row.backend.split(":").pop()}:${row.contender}`;
    return [row.case, row.option, row.regime, row.size, who, row.mode, row.device, row.dtype, row.direction, ...(row.seed ? [`seed-${row.seed}`] : [])].join("/");
  }

  // ---- one formula

  async function shard(name, at) {
    const number = index.formulas.findIndex((each) => each.name === name);
    if (number < 0) throw new Error(`there is no formula ${name} in these runs`);
    const data = await own(`formula-${index.runs[at].formulas.indexOf(number)}`, at);
    const rows = data.ids.map((id, row) => ({ id, case: name, ...Object.fromEntries(Object.entries(data.columns).map(([column, values]) => [column, values[row]])) }));
    return { rows, code: data.code, formula: index.formulas[number] };
  }
  const has = (name) => (_, at) => index.runs[at].formulas.includes(index.formulas.findIndex((each) => each.name === name));
  function homeOf(name, given) {
    const fallback = usual(({ at }) => has(name)(null, at));
    const at = chosen(given, "run", fallback);
    return has(name)(null, at) ? at : fallback;
  }

  async function formula({ place, given }) {
    const at = homeOf(place, given);
    const { rows, formula: about } = await shard(place, at);
    const backends = index.backends.map((each) => each.name).filter((name) => rows.some((row) => row.backend === name));
    const mine = rows.filter((row) => (!given.backend || row.backend === given.backend) && !NOT_RUN.includes(row.status));
    const dtypes = index.dtypes.filter((each) => mine.some((row) => row.dtype === each));
    const directions = ["forward", "gradient", "training"].filter((each) => mine.some((row) => row.direction === each));
    const lines = Object.values(grouped(mine.map((row) => ({ group: [row.backend, row.contender, row.mode, row.option, row.regime, row.size, row.device, row.seed || 0].join("\u0000"), row })))).map((each) => each.map(({ row }) => row));
    const bad = (each) => Math.max(...each.map((row) => rank(row.status)));
    lines.sort((a, b) => bad(b) - bad(a));
    const entry = (line, dtype, direction) => line.find((row) => row.dtype === dtype && row.direction === direction);
    const columns = [
      { name: "public API", value: (line) => line[0].contender, show: (line) => [mark(line[0].backend), ` ${named(line[0].backend)} `, h("code", line[0].contender)] },
      { name: "mode", value: (line) => mode(line[0].mode) }, { name: "option", value: (line) => line[0].option }, { name: "inputs", value: (line) => line[0].regime }, { name: "size", value: (line) => line[0].size },
      ...dtypes.flatMap((dtype) => directions.map((direction) => ({
        name: `${dtype} ${DIRECTIONS[direction]}`,
        value: (line) => { const row = entry(line, dtype, direction); return row ? row.bits ?? -1 : null; },
        copy: (line) => { const row = entry(line, dtype, direction); return row ? `${word(row.status)}${row.bits == null ? "" : " " + Math.round(row.bits)}` : ""; },
        show: (line) => { const row = entry(line, dtype, direction); if (!row) return ""; const bits = bitsOf(row); const reference = row.backend === "numpy" && dtype === "float64" && row.status === "agrees"; return tile(row.status, bits, index.bits[dtype], address("c", row.id, { run: index.runs[at].id, backend: row.backend }), `${row.contender}, ${dtype}, ${DIRECTIONS[direction]}`, reference ? "reference" : null); },
      }))),
      ...directions.filter((direction) => mine.some((row) => row.direction === direction && row.median_s != null)).map((direction) => ({ name: `time, ${DIRECTIONS[direction]}`, right: true, value: (line) => { const row = line.find((each) => each.direction === direction && each.median_s != null); return row ? row.median_s : null; }, show: (line) => { const row = line.find((each) => each.direction === direction && each.median_s != null); return row ? [seconds(row.median_s), " ", h("span.small", row.ratio ? times(row.ratio) : "")] : ""; } })),
    ];
    const absent = rows.filter((row) => NOT_RUN.includes(row.status));
    return [
      h("p.crumbs", h("a", { href: address("right", "", { run: index.runs[at].id }) }, "All formulas"), ` › ${place}`),
      h("h1", capital(about.title)),
      h("p.lead", h("code", place), about.page ? [" · ", h("code", about.page)] : "", ` · ${whole(mine.length)} cells on ${label(index.runs[at])}`),
      h("div.controls", runs("run", "Machine", at), choice("backend", ["", ...backends], given.backend || "", (each) => (each ? named(each) : "all frameworks"), "Framework"), copies()),
      sortable(columns, lines, given),
      h("div.two",
        meaning("Options", about.options, rows, "option"), meaning("Inputs", about.regimes, rows, "regime"), meaning("Sizes", about.sizes, rows, "size"),
        absent.length ? h("section", h("h2", `Not run: ${whole(absent.length)} cells`), h("dl", Object.entries(grouped(absent.map((row) => ({ group: `${named(row.backend)}: ${row.why || word(row.status)}`, row })))).slice(0, 12).flatMap(([why, each]) => [h("dt", `${whole(each.length)} ${word(each[0].row.status)}`), h("dd", why)]))) : ""),
    ];
  }
  function meaning(title, words, rows, name) {
    const used = [...new Set(rows.map((row) => row[name]))].filter((each) => words && words[each]);
    return used.length ? h("section", h("h2", title), h("dl", used.flatMap((each) => [h("dt", each), h("dd", words[each])]))) : "";
  }
  const capital = (words) => words.charAt(0).toUpperCase() + words.slice(1);

  // ---- one cell

  async function cell({ place, given }) {
    const name = place.split("/")[0], at = homeOf(name, given);
    const { rows, code, formula: about } = await shard(name, at);
    const row = rows.find((each) => each.id === place && (!given.backend || each.backend === given.backend));
    if (!row) throw new Error(`there is no cell ${place} in this run`);
    const run = index.runs[at], most = index.bits[row.dtype], bits = bitsOf(row);
    const place4 = [row.option, row.regime, row.size].join(" › ");
    const alike = rows.filter((each) => each !== row && ["option", "regime", "size", "device", "dtype", "direction"].every((column) => each[column] === row[column]) && (each.seed || 0) === (row.seed || 0) && !NOT_RUN.includes(each.status));
    const elsewhere = (await Promise.all(index.runs.map(async (_, place) => { if (place === at || !has(name)(null, place)) return null; const match = (await shard(name, place)).rows.find((each) => each.id === row.id && each.backend === row.backend); return match ? { place, row: match } : null; }))).filter(Boolean);
    const departure = index.departures.find((each) => each.case === name && row.limit && each.of === row.limit);
    const pins = ["numpy", "torch", "tensorflow", "tensorflow-cpu", "keras", "jax", "jaxlib", "flax", "optax"].filter((each) => run.packages[each]).map((each) => `${each}==${run.packages[each].split("+")[0]}`); // a registry has no local versions
    const command = [`# ${run.around.split(",")[0]}${row.suite ? `, gaugeblock ${row.suite}` : run.suite ? `, gaugeblock ${run.suite}` : ""}`, pins.length ? `pip install ${pins.join(" ")}` : "", row.command].filter(Boolean).join("\n");
    const list = (pairs) => h("dl", pairs.filter(([, value]) => value != null && value !== "").flatMap(([term, value]) => [h("dt", term), h("dd", value)]));
    const source = code[`${row.backend} ${row.contender}`];
    const brief = (each, at2) => h("tr", h("th", { scope: "row" }, cellLink(each.id, at2, each.backend, mark(each.backend), ` ${named(each.backend)} `, h("code", each.contender), ` ${mode(each.mode)}`)), h("td", tag(each.status)), h("td.r", each.bits == null ? "" : `${bitsOf(each)} bits`), h("td.r", seconds(each.median_s)));
    return [
      h("p.crumbs", h("a", { href: address("right", "", { run: run.id }) }, "All formulas"), " › ", h("a", { href: address("f", name, { run: run.id }) }, name), ` › ${place4}`),
      h("h1", row.contender),
      h("p.lead", [capital(about.title), DIRECTIONS[row.direction] || row.direction, row.dtype, mode(row.mode), row.device, label(run)].join(" · ")),
      h(`section.verdict.${row.status}`, { "aria-label": "Verdict" }, tag(row.status), h("div", h("strong", row.why || index.statuses[row.status] || ""), row.why ? h("p.note", index.statuses[row.status] || "") : "", row.source ? h("p.note", "Shown in ", departure && departure.links.length ? departure.links.map(([words, link], at) => [at ? " and " : "", outside(link, words)]) : h("code", row.source), row.versions ? `; ${row.versions}` : "", departure && departure.since ? `; since ${departure.since}` : "") : "")),
      bits == null ? "" : h("section", h("h2", `${bits} of ${most} bits are right, about ${digits(bits * 0.30103, 2)} of ${digits(most * 0.30103, 2)} decimal digits`), ruler(bits, most, row.status)),
      h("h2", "Reproduce"), h("pre", { style: { position: "relative" } }, command), h("p", h("button", { type: "button", onclick: () => copy(command + "\n") }, "Copy the commands")),
      h("div.two",
        h("section", h("h2", "How far off"), list([["got", row.got], ["should be", row.expected], ["may be off by", row.allowed], ["worst element", row.worst ? h("span", h("code", row.worst), row.z_worst == null ? "" : `, ${large(row.z_worst)} times its limit (at most 1)`) : null], ["typical error", row.z_rms == null ? null : `${large(row.z_rms)} times that of rounding (at most 2)`], ["the known departure explains", row.explained_high == null ? null : `${large(row.explained_low)} to ${large(row.explained_high)} times`], ["lane", row.lane], ["sums in", row.accumulator], ["precision", row.precision], ["inputs judged", row.judged], ["seed", row.seed], ["checksum", row.checksum]])),
        h("section", h("h2", "How fast"), row.median_s == null ? h("p.lead", "Not timed: this cell was judged only.") : list([["median", `${seconds(row.median_s)} (${seconds(row.low_s)} to ${seconds(row.high_s)})`], ["to the fastest", row.ratio ? times(row.ratio) : null], ["timed with", row.ratio == null || row.schema < 2 ? null : row.timed_with || "nothing else: it was alone"], ["rate", row.throughput ? `${scaled(row.throughput)} ${row.unit}` : null], ["of the machine's limit", percent(row.share)], ["limited by", row.bound], ["first call", seconds(row.first_call_s)], ["memory", row.peak_bytes ? `${scaled(row.peak_bytes)}B` : null], ["samples", row.samples], ["series", row.series]]))),
      h("div.two",
        h("section", h("h2", "The same, in other frameworks and modes"), alike.length ? h("table", h("tbody", alike.map((each) => brief(each, at)))) : h("p.lead", "Nothing else ran on these inputs.")),
        h("section", h("h2", "The same, on other machines and settings"), elsewhere.length ? h("table", h("tbody", elsewhere.map((each) => h("tr", h("th", { scope: "row" }, cellLink(each.row.id, each.place, each.row.backend, label(index.runs[each.place]))), h("td", tag(each.row.status)), h("td.r", each.row.bits == null ? "" : `${bitsOf(each.row)} bits`), h("td.r", seconds(each.row.median_s)))))) : h("p.lead", "Only this run has it."))),
      source ? [h("h2", "The code that ran"), h("pre", source)] : "",
    ];
  }
  const outside = (link, words) => h("a", { href: /^https:\/\//.test(link) ? link : null, rel: "noopener noreferrer" }, words);
  function ruler(bits, most, status) {
    const marks = [[8, "bfloat16"], [11, "float16, TF32"], [24, "float32"], [53, "float64"]].filter(([n]) => n <= most);
    return h(`div.ruler.${status}`, { role: "img", "aria-label": `${bits} of ${most} bits`, style: { "grid-template-columns": `repeat(${most}, minmax(0, 1fr))` } }, Array.from({ length: most }, (_, n) => h(n < bits ? "b.on" : "b")), marks.map(([n, words]) => h("em", { style: { left: `${(100 * n) / most}%` } }, words)));
  }

  // ---- departures, machines, words

  function departures({ given }) {
    const found = index.departures.filter((each) => matches(`${each.case} ${each.of} ${each.why} ${each.source} ${named(each.backend)}`, given.q));
    const wrong = found.filter((each) => each.status !== "limited"), known = found.filter((each) => each.status === "limited");
    const columns = [
      { name: "what", value: (each) => each.why, copy: (each) => `${named(each.backend)}, ${each.case}: ${each.why}`, show: (each) => [h("strong", each.why), h("br"), h("span.small", mark(each.backend), ` ${named(each.backend)} · `, h("a", { href: address("f", each.case) }, each.case), ` · ${each.of}`)], wide: "42%" },
      { name: "verdict", value: (each) => word(each.status), show: (each) => tag(each.status) },
      { name: "times rounding", value: (each) => each.off },
      { name: "bits lost", value: (each) => each.lost, show: (each) => (each.lost == null ? "" : digits(Math.max(0, each.lost), 2)), right: true },
      { name: "since", value: (each) => each.since, show: (each) => [each.since, each.versions ? h("span.small", ` ${each.versions}`) : ""] },
      { name: "source", value: (each) => each.source, show: (each) => [each.links.map(([words, link]) => [outside(link, words), h("br")]), each.links.length ? "" : each.source], wide: "20%" },
      { name: "cells", value: (each) => each.cells, show: (each) => cellLink(each.example, each.run, each.backend, whole(each.cells)), right: true },
    ];
    return [
      h("h1", "What is known to be wrong?"),
      h("p.lead", "Each departure once, with its cause and source; first what is beyond every limit and has no known cause yet. A number of cells leads to one of them."),
      h("div.controls", search(given.q), copies()),
      wrong.length ? [h("h2", `Beyond every limit: ${wrong.length}`), sortable(columns, wrong, given)] : h("p", h("strong", "Nothing is wrong beyond its limit without a known cause.")),
      h("h2", `Known departures: ${known.length}, the most bits lost first`), known.length ? sortable(columns, known, given) : h("p", "None in these runs."),
    ];
  }
  async function machines({ given }) {
    const hardware = await part("hardware");
    const columns = [
      { name: "run", value: (run) => run.id, show: (run) => h("a", { href: address("right", "", { run: run.id }) }, label(run)) },
      { name: "machine", value: (run) => run.about, wide: "28%" },
      { name: "software", value: (run) => run.around, show: (run) => h("span.small", run.around), wide: "34%" },
      { name: "suite", value: (run) => run.suite },
      { name: "cells", value: (run) => run.cells, show: (run) => h("a", { href: address("cells", "", { run: run.id }) }, whole(run.cells)), right: true },
      { name: "speeds", value: (run) => run.speeds, show: (run) => (run.speeds ? h("a", { href: address("fast", "", { run: run.id }) }, whole(run.speeds)) : "none"), right: true },
    ];
    const all = sortable(columns, index.runs, given);
    return [h("h1", "On which machines?"), h("p.lead", "Every run of this report, the newest first."), hardware.states.length ? "" : h("div.controls", copies()), all, hardware.states.length ? sides(hardware, given) : ""];
  }
  function sides(hardware, given) {
    const { states, base, means, lines } = hardware, several = states.length > 1;
    const told = (name) => states.some((each) => each[name].length);
    const columns = [
      { name: "column", value: (each) => each.name }, { name: "machine", value: (each) => each.machine, wide: "28%" },
      { name: "runs", value: (each) => each.runs.length },
      { name: "noise floor", value: (each) => each.noise, copy: floor, show: floor },
      ...["power", "price"].filter(told).map((name) => ({ name, value: (each) => each[name] })),
      ...(told("differs") ? [{ name: `against ${states[base].name}`, value: (each) => each.differs.join("; ") }] : []),
    ];
    const yields = (name) => (means.some((each) => each[name] != null) ? [{ name: name.replace("_", " "), value: (each) => each[name], show: (each) => (each[name] == null ? "" : times(each[name])), right: true }] : []);
    const averaged = [
      { name: "column", value: (each) => states[each.state].name },
      { name: "framework", value: (each) => each.framework, show: (each) => (each.over === "headlines" ? whose(each.framework) : `${each.framework}, small sizes`) },
      { name: "times as fast", value: (each) => each.relative, show: (each) => h("strong", times(each.relative)), right: true },
      { name: "95 % interval", value: (each) => each.low, copy: range, show: range, right: true },
      { name: "workloads", value: (each) => each.n, right: true }, { name: "departures", value: (each) => each.departures, right: true },
      { name: "beyond noise", value: (each) => (each.over === "headlines" ? { true: "yes", false: "no" }[each.beyond] || "not known" : ""), right: true },
      ...yields("per_watt"), ...yields("per_price"),
    ];
    const frameworks = [...new Set(lines.map((each) => each.framework))];
    const framework = frameworks.includes(given.framework) ? given.framework : "best";
    const shown = lines.filter((each) => each.framework === framework && matches(`${each.workload} ${each.case}`, given.q));
    const perWorkload = [
      { name: "workload", value: (each) => `${each.workload} ${DIRECTIONS[each.direction] || each.direction} ${each.dtype}`, show: (each) => [h("a", { href: address("f", each.case) }, each.workload), " ", h("span.small", `${DIRECTIONS[each.direction] || each.direction} ${each.dtype}`)], wide: "26%" },
      ...states.map((state, place) => ({
        name: state.name, value: (each) => each.at[place] && each.at[place].seconds,
        copy: (each) => (each.at[place] ? said(each, place, hardware).join(" ") : ""),
        show: (each) => { if (!each.at[place]) return ""; const [time, ...rest] = said(each, place, hardware); return h("span", h("strong", time), rest.map((words) => [h("br"), h("span.small", words)])); },
      })),
    ];
    const top = sortable(columns, states, given), middle = several && means.length ? sortable(averaged, means, given) : "";
    return [
      h("h2", several ? "Side by side" : "What it does"),
      h("p.note", "A column is a machine in one state: settings, threads, version of the suite and of the frameworks. Noise floor: 95 % of the same cells differ by less between two runs of one state, so that a smaller difference says nothing."), top,
      several ? [h("h2", `Times as fast as ${states[base].name}`),
        h("p.note", "Geometric means over the workloads that every column has, of each framework its fastest API, with a bootstrap over formulas. What is bound by dispatch in any column takes no part, and nothing is made up for what one lacks. Small sizes measure what a call costs, and rank no hardware."),
        middle || h("p", "No workload is in every column.")] : "",
      h("h2", "Each workload"),
      h("div.controls", choice("framework", frameworks, framework, (each) => (each === "best" ? "fastest of all" : named(each)), "Framework"), search(given.q), copies()),
      shown.length ? sortable(perWorkload, shown, given) : h("p", "No workload matches."),
    ];
  }
  const portion = (x) => `${digits(100 * x, 2)} %`;
  const floor = (each) => (each.noise == null ? "no repeat" : `${portion(each.noise)} (${whole(each.cells)} cells)`);
  /* what a state does with a workload: the time, then one line each */
  function said(line, place, { base, states }) {
    const each = line.at[place], bits = bitsOf(each);
    const who = `${named(each.backend)}${each.device === "cpu" ? "" : " " + each.device}${bits == null ? "" : `, ${bits} bits`}${each.status === "limited" ? " ◐" : ""}`;
    return [
      `${seconds(each.seconds)}${place !== base && each.relative != null ? ` · ${times(each.relative)}` : ""}`, `${scaled(each.rate)} ${line.unit}/s`, who,
      each.dispatch ? "a call's own cost" : "", each.per_watt == null ? "" : `${scaled(each.per_watt)} ${line.unit}/J`, each.per_price == null ? "" : `${scaled(each.per_price)} ${line.unit}/${states[place].currency}`,
    ].filter(Boolean);
  }
  function words() {
    return [
      h("h1", "What the words mean"),
      h("h2", "Verdicts"),
      h("div.scroll", h("table.stack", h("thead", h("tr", ["shown", "in the rows", "means"].map((each) => h("th", { scope: "col" }, each)))), h("tbody", Object.keys(WORDS).map((status) => h("tr", h("th", { scope: "row" }, tag(status)), h("td", { "data-name": "in the rows" }, h("code", status)), h("td", { "data-name": "means" }, index.statuses[status] || "")))))),
      h("h2", "Numbers"),
      h("dl", [
        ["bits", "How many significant bits of a result are right: 24 of a float32 are all of them, 53 of a float64."],
        ["limit", "How far an element may be off. It is derived: the reference is computed many times with every rounding moved at random, and what that moves is what rounding explains."],
        ["times rounding", "The error over the error that rounding alone causes: above 2 for a tensor, something else is at work."],
        ["time", "The median of interleaved rounds, with its 95 % interval; each call is proved to have been waited for."],
        ["a multiple", "Time over that of the fastest of the workload, paired by rounds."],
        ["of the machine's limit", "The shortest time that this machine's measured peak rates allow, over the time that was taken."],
        ["a call's own cost", "Twice the work takes less than a fifth longer: the time is dispatch, and says nothing about the hardware."],
        ["value, gradient", "The outputs of a formula, and the gradients that the framework derives."],
      ].flatMap(([term, sentence]) => [h("dt", term), h("dd", sentence)])),
    ];
  }

  // ---- the frame

  const VIEWS = { right, fast, growth, cells, f: formula, c: cell, departures, machines, words };
  const NAV = [["right", "Right?"], ["fast", "Fast?"], ["growth", "Growth"], ["cells", "All cells"], ["departures", "Departures"], ["machines", "Machines"], ["words", "Words"]];
  let drawn = 0, last = null;

  async function draw() {
    const here = where(), turn = ++drawn, main = document.getElementById("main");
    const of = { f: "right", c: "right" }[here.view] || here.view;
    document.getElementById("nav").replaceChildren(...NAV.map(([view, words]) => h("a", { href: address(view, "", here.given.run ? { run: here.given.run } : {}), "aria-current": view === of ? "page" : null }, words)));
    let content;
    table = null;
    try {
      const view = VIEWS[here.view];
      if (!view) throw new Error(`there is no page ${here.view}`);
      content = await view(here);
    } catch (error) {
      content = [h("h1", "Not here"), h("p", `${capital(error.message)}.`), h("p", h("a", { href: "#/right" }, "To the first page"))];
    }
    if (turn !== drawn) return; // another address was chosen while the data came
    const path = `${here.view}/${here.place}`, moved = last !== null && path !== last;
    main.replaceChildren(...[content].flat(9).filter((each) => each));
    document.title = `${(main.querySelector("h1") || {}).textContent || ""} · Gaugeblock`;
    document.documentElement.dataset.drawn = location.hash || "#/right";
    if (moved) { window.scrollTo(0, 0); main.focus({ preventScroll: true }); }
    last = path;
  }
  function start() {
    const root = document.documentElement;
    try { if (localStorage.theme) root.dataset.theme = localStorage.theme; } catch { /* private windows have none */ }
    document.getElementById("theme").addEventListener("click", () => {
      const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
      root.dataset.theme = dark ? "light" : "dark";
      try { localStorage.theme = root.dataset.theme; } catch { /* as above */ }
    });
    const cells = index.runs.reduce((all, run) => all + run.cells, 0);
    document.getElementById("footer").replaceChildren(`Gaugeblock ${index.suite} · built ${index.built} from ${whole(cells)} cells of ${index.runs.length} run${index.runs.length === 1 ? "" : "s"} · `, h("a", { href: "#/words" }, "what the words mean"));
    window.addEventListener("hashchange", draw);
    draw();
  }

  return { put };
})();
