// A list of which only what can be seen is made, so that its length costs nothing.

class List {
  // `row(index)` makes one row of `height` pixels; `label` is read out for the list.
  constructor({ label, height, row, tall }) {
    Object.assign(this, { height, row, count: 0, first: -1, last: -1 });
    this.body = el("div", { class: "list-body" });
    this.box = el("div", { class: "list", tabindex: 0, role: "list", "aria-label": label }, this.body);
    this.tall = tall;
    this.box.addEventListener("scroll", () => this.draw(false), { passive: true });
    new ResizeObserver(() => this.draw(false)).observe(this.box);
  }

  show(count) {
    this.count = count;
    this.body.style.height = `${count * this.height}px`;
    this.box.style.height = `${Math.min(this.tall, Math.max(1, count) * this.height + 2)}px`;
    this.draw(true);
  }

  draw(again) {
    const first = Math.max(0, Math.floor(this.box.scrollTop / this.height) - 8);
    const seen = Math.ceil((this.box.clientHeight || this.tall) / this.height) + 16;
    const last = Math.min(this.count, first + seen);
    if (!again && first === this.first && last === this.last) return;
    [this.first, this.last] = [first, last];
    const rows = [];
    for (let index = first; index < last; index += 1) {
      const row = this.row(index);
      row.style.transform = `translateY(${index * this.height}px)`;
      row.setAttribute("role", "listitem");
      rows.push(row);
    }
    this.body.replaceChildren(...rows);
  }

  // Brings a row into the middle.
  reveal(index) {
    const middle = (this.box.clientHeight || this.tall) / 2;
    this.box.scrollTop = Math.max(0, index * this.height - middle + this.height / 2);
    this.draw(true);
  }
}
