// Draws every figure of a report with uPlot from the JSON that stands in it. Loads nothing.
(() => {
  'use strict';

  const DASHES = [[], [7, 4], [2, 3], [10, 3, 2, 3], [4, 2], [12, 5], [2, 2, 7, 2]];
  const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif';
  const ROOM_FOR_NAMES = 440; // pixels: in a narrower plot the ends of lines have no names
  const BARE = 18; // pixels to the right of a plot without names: half of the last label of x
  const WHOLE_STEPS = Array.from({length: 16}, (_, e) => [1, 2, 5].map(m => m * 10 ** e)).flat();

  const KEYS = 'Arrow keys read, + and − zoom, Escape resets';

  const root = document.documentElement;
  const style = name => getComputedStyle(root).getPropertyValue(name).trim();

  /** An element with properties, attributes (their names have a hyphen), and children. */
  function element(name, properties, ...children) {
    const node = document.createElement(name);
    for (const [key, value] of Object.entries(properties)) {
      if (key.includes('-')) node.setAttribute(key, value);
      else node[key] = value;
    }
    node.append(...children);
    return node;
  }

  /** A number for the eye: at most `digits` digits after the whole ones, powers of ten, a true minus. */
  function number(value, digits) {
    if (value === 0) return '0';
    if (!Number.isFinite(value)) return '';
    const [mantissa, exponent] = value.toExponential(digits - 1).split('e').map(Number);
    if (exponent >= -3 && exponent < 6) {
      const maximumSignificantDigits = Math.max(digits, exponent + 1);
      return value.toLocaleString('en', {maximumSignificantDigits}).replace('-', '−');
    }
    const power = '10' + String(exponent).replace(/./g, c => '⁻⁰¹²³⁴⁵⁶⁷⁸⁹'['-0123456789'.indexOf(c)]);
    const times = mantissa === 1 ? '' : mantissa === -1 ? '−' : `${mantissa}\u2009×\u2009`;
    return times.replace('-', '−') + power;
  }

  /**
   * How numbers become places on a linear axis that uPlot can divide: of a log scale it sees the
   * logarithms, and numbers far from 1 it sees in units of a power of ten.
   */
  function scaleOf(log, arrays) {
    if (log) return {to: Math.log10, from: v => 10 ** v};
    let most = 0;
    for (const array of arrays) for (const value of array) most = Math.max(most, Math.abs(value));
    const near = most === 0 || (most > 1e-4 && most < 1e12);
    const unit = near ? 1 : 10 ** Math.max(-300, Math.floor(Math.log10(most)));
    return {to: v => v / unit, from: v => v * unit};
  }

  /** The y range for what is visible: with a margin, and down or up to zero where it is near. */
  function rangeOf(log, low, high) {
    if (low == null) return [0, 1];
    const span = high - low;
    if (log) {
      const margin = Math.max(0.05 * span, 0.05);
      return [low - margin, high + margin];
    }
    const most = Math.max(Math.abs(low), Math.abs(high));
    const margin = span > 1e-9 * most ? 0.06 * span : 0.1 * most || 1;
    return [
      low >= 0 && low < 0.5 * most ? 0 : low - margin,
      high <= 0 && -high < 0.5 * most ? 0 : high + margin,
    ];
  }

  /** The lines of a log axis from 10^low to 10^high: powers of ten, with 2 and 5 of each if few. */
  function logLines(low, high, pixels) {
    const visible = line => line >= low && line <= high;
    if (high - low < 0.7) return evenLines(10 ** low, 10 ** high).map(Math.log10).filter(visible);
    const step = Math.ceil((high - low) / Math.max(2, pixels / 40));
    const marks = high - low > 2.5 ? [1] : [1, 2, 5];
    const lines = [];
    for (let e = Math.floor(low / step) * step; e <= high; e += step) {
      lines.push(...marks.map(mark => e + Math.log10(mark)));
    }
    return lines.filter(visible);
  }

  function evenLines(low, high) {
    const rough = (high - low) / 4;
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = power * [1, 2, 5, 10].find(m => m * power >= rough);
    return Array.from({length: 6}, (_, k) => (Math.ceil(low / step) + k) * step);
  }

  /** The indices that no line reaches as both neighbours are gaps: they are drawn as dots. */
  function lonely(ys) {
    const given = ys.flatMap((y, i) => (y === undefined ? [] : [i]));
    const gap = i => i === undefined || ys[i] === null;
    return given.filter((i, k) => !gap(i) && gap(given[k - 1]) && gap(given[k + 1]));
  }

  /** The index of the curve's own value nearest to x; none in a gap or beyond the curve's ends. */
  function nearest(xs, ys, i, x) {
    let left = i;
    let right = i;
    while (left >= 0 && ys[left] === undefined) left--;
    while (right < ys.length && ys[right] === undefined) right++;
    if (left < 0 || right >= ys.length) return null;
    const near = x - xs[left] <= xs[right] - x ? left : right;
    return ys[near] === null ? null : near;
  }

  class Plot {
    constructor(place) {
      this.place = place;
      this.figure = place.closest('figure');
      this.spec = JSON.parse(this.figure.querySelector('script').textContent);
      this.curves = this.spec.curves;
      this.groups = new Map(this.curves.map(({group}) => [group, []]));
      this.curves.forEach(({group}, i) => this.groups.get(group).push(i));
      this.x = scaleOf(false, this.curves.map(({x}) => x));
      this.y = scaleOf(this.spec.log, this.curves.map(({y}) => y));
      // uPlot's own distinction: null is a gap, undefined is a place where only other curves have a value.
      const tables = this.curves.map(
          ({x, y}) => [x.map(this.x.to), y.map(v => (v === null ? null : this.y.to(v)))]);
      const gapsReachTheirNeighbours = 2;
      this.data = uPlot.join(tables, tables.map(() => [0, gapsReachTheirNeighbours]));
      this.ends = this.data.slice(1).map(ys => ys.findLastIndex(y => y != null));
      [this.first, this.last] = [this.data[0][0], this.data[0].at(-1)];
      this.controls = [];
      this.values = [];
    }

    draw() {
      this.figure.classList.add('drawn');
      this.addTools();
      this.chart = new uPlot(this.options(), this.data, this.place);
      this.listen();
      this.read();
    }

    fit() {
      if (this.place.clientWidth !== this.chart.width) this.chart.setSize(this.size());
    }

    size() {
      const width = this.place.clientWidth;
      return {width, height: Math.round(Math.min(380, Math.max(240, width * 0.5)))};
    }

    options() {
      const {log} = this.spec;
      const least = 1e-6 * (this.last - this.first);
      const around = (centre, width) => [centre - width / 2, centre + width / 2];
      const axis = {
        font: `12px ${FONT}`,
        stroke: () => style('--soft'),
        grid: {stroke: () => style('--rule'), width: 1},
        ticks: {show: false},
      };
      return {
        ...this.size(),
        legend: {show: false},
        padding: [10, () => this.nameWidth(), 0, 0],
        scales: {
          x: {
            time: false,
            range: (u, low, high) =>
                least === 0 ? around(this.first, Math.max(1, 0.2 * Math.abs(this.first)))
                : high - low < least ? around((low + high) / 2, least)
                : [low, high],
          },
          y: {range: (u, low, high) => rangeOf(log, low, high)},
        },
        axes: [
          {
            ...axis,
            grid: {show: false},
            ticks: {stroke: axis.grid.stroke, width: 1, size: 5},
            border: {show: true, stroke: axis.grid.stroke, width: 1},
            space: 60,
            size: 28,
            ...(this.data[0].every(Number.isInteger) && {incrs: WHOLE_STEPS}),
            values: (u, lines) => lines.map(v => number(this.x.from(v), 8)),
          },
          {
            ...axis,
            space: 40,
            size: (u, texts) => 10 + 7 * Math.max(2, ...(texts ?? []).map(text => text.length)),
            ...(log && {splits: (u, i, low, high) => logLines(low, high, u.height)}),
            values: (u, lines) => lines.map(v => number(this.y.from(v), log ? 4 : 8)),
          },
        ],
        series: [{}, ...this.curves.map((curve, i) => this.series(curve, this.data[i + 1]))],
        cursor: {
          y: false,
          drag: {x: true, y: false},
          points: {size: 7},
          dataIdx: (u, s, i, x) => (s === 0 ? i : nearest(u.data[0], u.data[s], i, x)),
          // Neighbours with the same x follow the cursor; each keeps its own zoom.
          sync: {
            key: `${this.figure.closest('section').id} ${this.spec.x}`,
            setSeries: false,
            filters: {pub: type => type === 'mousemove' || type === 'mouseleave'},
          },
        },
        hooks: {
          setCursor: [u => this.read(u)],
          setScale: [(u, key) => key === 'x' && this.offerReset(u)],
          draw: [u => this.drawNames(u)],
        },
      };
    }

    series({colour, dash}, ys) {
      const stroke = () => style(`--c${colour}`);
      const dots = lonely(ys);
      return {
        stroke,
        width: 1.75,
        dash: DASHES[dash % DASHES.length],
        points: {show: false, filter: () => (dots.length > 0 ? dots : null), size: 5, fill: stroke},
      };
    }

    // Below the plot: where the cursor is, the way back from a zoom, and each curve with its value.

    addTools() {
      this.where = element('span', {className: 'where'});
      this.back = element('button', {type: 'button', textContent: 'Reset zoom', hidden: true});
      this.back.onclick = () => this.reset();
      this.spoken = element('p', {className: 'spoken', role: 'status'});
      const legend = element('ul', {className: 'legend', 'aria-label': 'Curves: show or hide'});
      this.groups.forEach((members, group) => legend.append(this.entry(group, members)));
      const hint = element('span', {className: 'hint'},
          element('span', {className: 'mouse', textContent: 'Drag to zoom, double-click to reset'}),
          element('span', {className: 'typed', textContent: KEYS}),
          element('span', {className: 'touch', textContent: 'Slide along the chart to read it'}));
      this.figure.querySelector('.axis.x').after(
          element('div', {className: 'tools'}, this.where, this.back, hint), legend, this.spoken);
    }

    entry(group, members) {
      const many = members.length > 1;
      const item = element('li', {className: many ? 'many' : ''});
      if (many) item.append(this.control(members, element('strong', {textContent: group})));
      for (const i of members) {
        const {name, colour, dash} = this.curves[i];
        const swatch = element('span', {className: 'swatch'});
        swatch.innerHTML = `<svg viewBox="0 0 24 8" aria-hidden="true"><path class="k${colour}"
            d="M0 4H24" stroke-width="2.5" stroke-dasharray="${DASHES[dash % DASHES.length].join(' ')}"/></svg>`;
        this.values[i] = element('span', {className: 'value'});
        const label = many ? name : [group, name].filter(Boolean).join(', ');
        item.append(this.control([i], swatch, element('span', {textContent: label}), this.values[i]));
      }
      return item;
    }

    /** A button that shows or hides curves, and sets them off from the others while it is pointed at. */
    control(members, ...content) {
      const button = element('button', {type: 'button', 'aria-pressed': 'true'}, ...content);
      const shown = () => members.some(i => this.chart.series[i + 1].show);
      button.onclick = () => {
        const show = !shown();
        for (const i of members) this.chart.setSeries(i + 1, {show});
        for (const control of this.controls) control.button.setAttribute('aria-pressed', control.shown());
      };
      button.onmouseenter = button.onfocus = () => this.setOff(members);
      button.onmouseleave = button.onblur = () => this.setOff([...this.curves.keys()]);
      this.controls.push({button, shown});
      return button;
    }

    setOff(members) {
      this.chart.series.slice(1).forEach((series, i) => (series.alpha = members.includes(i) ? 1 : 0.2));
      this.chart.redraw(false);
    }

    /** Shows each curve's value at the cursor or, without one, its last. */
    read(u = this.chart) {
      const {idx, idxs} = u.cursor;
      const here = idx != null;
      this.where.textContent = here ? `${this.spec.x} ${number(this.x.from(this.data[0][idx]), 8)}` : 'Last values';
      this.values.forEach((value, i) => {
        const at = here ? idxs[i + 1] : this.ends[i];
        const known = at != null && at >= 0;
        value.textContent = known ? number(this.y.from(this.data[i + 1][at]), 4) : '–';
      });
    }

    offerReset(u) {
      const {min, max} = u.scales.x;
      this.back.hidden = min <= this.first && max >= this.last;
    }

    reset() {
      this.zoom(this.first, this.last);
      this.place.focus();
    }

    zoom(min, max) {
      this.chart.setScale('x', {min: Math.max(min, this.first), max: Math.min(max, this.last)});
    }

    // Keys and touch do what the mouse does.

    listen() {
      // In the next frame, as an observer must not change what it observes.
      new ResizeObserver(() => requestAnimationFrame(() => this.fit())).observe(this.place);
      this.place.tabIndex = 0;
      this.place.setAttribute('aria-description', KEYS);
      this.place.onkeydown = event => {
        if (event.ctrlKey || event.metaKey || event.altKey) return;
        const act = this.keys(event.shiftKey ? 10 : 1)[event.key];
        if (!act) return;
        event.preventDefault();
        act();
      };
      const follow = ({pointerType, clientX, clientY}) => {
        if (pointerType !== 'touch') return;
        const {left, top} = this.chart.over.getBoundingClientRect();
        this.chart.setCursor({left: clientX - left, top: clientY - top});
      };
      this.chart.over.addEventListener('pointerdown', follow);
      this.chart.over.addEventListener('pointermove', follow);
    }

    keys(step) {
      const {min, max} = this.chart.scales.x;
      const at = this.chart.cursor.idx;
      const end = this.data[0].length - 1;
      const centre = at == null ? (min + max) / 2 : this.data[0][at];
      const zoom = factor => this.zoom(centre - (centre - min) * factor, centre + (max - centre) * factor);
      return {
        ArrowLeft: () => this.moveTo(at == null ? end : at - step),
        ArrowRight: () => this.moveTo(at == null ? 0 : at + step),
        Home: () => this.moveTo(0),
        End: () => this.moveTo(end),
        '+': () => zoom(0.5),
        '-': () => zoom(2),
        Escape: () => this.reset(),
      };
    }

    /** Puts the cursor on the visible x nearest to this index, and says what is there. */
    moveTo(index) {
      const xs = this.data[0];
      const [low, high] = this.chart.series[0].idxs;
      const i = Math.max(low, Math.min(high, index));
      this.chart.setCursor({left: this.chart.valToPos(xs[i], 'x'), top: 0});
      const values = this.curves.map(
          ({group, name}, k) => `${group} ${name} ${this.values[k].textContent}`);
      this.spoken.textContent = `${this.where.textContent}: ${values.join(', ')}`;
    }

    // The groups' names at the ends of their lines, so that nobody has to match colours.

    nameWidth() {
      if (this.groups.size < 2 || this.place.clientWidth < ROOM_FOR_NAMES) return BARE;
      const longest = Math.max(...[...this.groups.keys()].map(group => group.length));
      return longest > 20 ? BARE : BARE + 7 * longest;
    }

    drawNames(u) {
      if (this.nameWidth() === BARE) return;
      const {ctx} = u;
      const dot = devicePixelRatio;
      ctx.save();
      ctx.font = `600 ${12 * dot}px ${FONT}`;
      ctx.textAlign = 'left';
      ctx.textBaseline = 'middle';
      ctx.lineJoin = 'round';
      ctx.lineWidth = 4 * dot;
      ctx.strokeStyle = style('--paper');
      for (const {group, members, x, y} of this.placeNames(u, 15 * dot)) {
        ctx.globalAlpha = Math.max(...members.map(i => u.series[i + 1].alpha));
        ctx.fillStyle = style(`--c${this.curves[members[0]].colour}`);
        ctx.strokeText(group, x + 7 * dot, y);
        ctx.fillText(group, x + 7 * dot, y);
      }
      ctx.restore();
    }

    /** Each name at the end of its group's first line, moved up or down until no two overlap. */
    placeNames(u, height) {
      const columns = new Map();
      this.groups.forEach((members, group) => {
        const first = members.find(i => u.series[i + 1].show && this.endIn(u, i) >= 0);
        if (first === undefined) return;
        const end = this.endIn(u, first);
        const x = u.valToPos(u.data[0][end], 'x', true);
        const y = u.valToPos(u.data[first + 1][end], 'y', true);
        columns.set(end, [...(columns.get(end) ?? []), {group, members, x, y}]);
      });
      for (const names of columns.values()) {
        names.sort((a, b) => a.y - b.y);
        for (let i = 1; i < names.length; i++) names[i].y = Math.max(names[i].y, names[i - 1].y + height);
        let floor = u.bbox.top + u.bbox.height;
        for (const name of names.slice().reverse()) {
          name.y = Math.min(name.y, floor);
          floor = name.y - height;
        }
      }
      return [...columns.values()].flat();
    }

    /** The index of a curve's last value in view. */
    endIn(u, curve) {
      const [low, high] = u.series[0].idxs;
      const ys = u.data[curve + 1];
      let i = high;
      while (i >= low && ys[i] == null) i--;
      return i >= low ? i : -1;
    }
  }

  const plots = [...document.querySelectorAll('.plot')].map(place => new Plot(place));
  for (const plot of plots) plot.draw();

  const redraw = () => plots.forEach(plot => plot.chart.redraw(false));
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redraw);
  addEventListener('beforeprint', () => { root.dataset.print = ''; redraw(); });
  addEventListener('afterprint', () => { delete root.dataset.print; redraw(); });
})();
