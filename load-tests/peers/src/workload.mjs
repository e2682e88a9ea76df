// The events, as load-tests/Roster.LoadTests/Generating/EventGenerator.cs makes them: 80 % go to a fixed tenth of the records, the rest is uniform;
// 70 % set a property that nothing reads, 20 % set a property that a workflow looks at and change nothing else, 10 % enroll: a status is set
// and something is to happen in seven days.

export const PROPERTIES = 20;
export const WORKFLOWS = 40;
export const DELAY_MS = 7 * 24 * 60 * 60 * 1000;

const HOT_SHARE = 0.8;
const notes = Array.from({ length: 64 }, (_, i) => `value ${String(i).padStart(2, "0")} of it`);

export const recordId = (number) => `contact-${String(number).padStart(8, "0")}@example.org`;

/** The properties that a record has before the measurement. */
export function seed(number) {
  const properties = {};
  for (let i = 0; i < PROPERTIES; i++) {
    properties[`p${i}`] = `value ${number % 1000} of p${i}`;
  }
  return properties;
}

/** Makes the events of one worker. Each worker has records of its own: those whose number has the same remainder. */
export class Events {
  constructor({ records, worker, workers, run }) {
    this.count = Math.floor((records - worker + workers - 1) / workers);
    this.hot = Math.max(1, Math.floor(this.count / 10));
    this.worker = worker;
    this.workers = workers;
    this.prefix = `${run}-${worker}-`;
    this.made = 0;
    this.enrolling = 0;
    this.enrolled = new Uint8Array(this.count);
    this.random = xorshift(worker + 1);
  }

  next() {
    const kind = this.random(100);
    const local = this.random(1_000_000) < HOT_SHARE * 1_000_000 ? this.random(this.hot) : this.random(this.count);
    const event = {
      id: `${this.prefix}${++this.made}`,
      record: recordId(local * this.workers + this.worker),
      property: "",
      value: "",
      page: "https://www.example.org/products/overview?campaign=spring",
      referrer: "https://search.example.com/results?q=crm+automation&page=2",
      agent: "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140",
    };
    if (kind >= 90 && this.enrolled[local] < WORKFLOWS) {
      event.property = `trigger_${this.enrolled[local]++}`;
      event.value = "go";
      this.enrolling++;
    } else {
      event.property = kind >= 70 ? `trigger_${this.random(WORKFLOWS)}` : `p${this.random(PROPERTIES)}`;
      event.value = notes[this.random(notes.length)];
    }
    return event;
  }
}

/** Number of the workflow that an event starts, or -1: all that a peer knows of filters. */
export const startedWorkflow = (event) => (event.value === "go" && event.property.startsWith("trigger_") ? Number(event.property.slice(8)) : -1);

/** The same numbers in every run. */
function xorshift(start) {
  let x = (start * 0x9e3779b9) >>> 0 || 1;
  return (bound) => {
    x ^= x << 13;
    x >>>= 0;
    x ^= x >>> 17;
    x ^= x << 5;
    x >>>= 0;
    return x % bound;
  };
}
