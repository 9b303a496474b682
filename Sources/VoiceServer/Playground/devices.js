// The device menus: what is plugged in, what was chosen last time, and what happens when the list changes.
const INPUT_KEY = "repartee.input";
const OUTPUT_KEY = "repartee.output";

const stored = (key) => {
  try { return localStorage.getItem(key) ?? ""; } catch { return ""; }
};
const store = (key, value) => {
  try { value ? localStorage.setItem(key, value) : localStorage.removeItem(key); } catch { /* private mode */ }
};

export class Devices {
  /** `onInput(deviceId)` and `onOutput(deviceId)` follow the person's choice; "" is the system's default. */
  constructor({ input, output, outputField, hint }, { onInput, onOutput }) {
    this.elements = { input, output, outputField, hint };
    this.input = stored(INPUT_KEY);
    this.output = stored(OUTPUT_KEY);
    outputField.hidden = !("setSinkId" in HTMLMediaElement.prototype);
    input.addEventListener("change", () => {
      this.input = input.value;
      store(INPUT_KEY, input.value);
      onInput(input.value);
    });
    output.addEventListener("change", () => {
      this.output = output.value;
      store(OUTPUT_KEY, output.value);
      onOutput(output.value);
    });
    this.onOutput = onOutput;
    navigator.mediaDevices?.addEventListener("devicechange", () => this.refresh());
    this.refresh();
  }

  async refresh() {
    const devices = await navigator.mediaDevices?.enumerateDevices().catch(() => []) ?? [];
    const named = devices.filter((device) => device.deviceId !== "" && device.deviceId !== "default");
    this.fill(this.elements.input, "Default microphone", named.filter((d) => d.kind === "audioinput"), this.input);
    this.fill(this.elements.output, "Default loudspeaker", named.filter((d) => d.kind === "audiooutput"), this.output);
    this.elements.hint.hidden = devices.some((device) => device.label !== "");
    // A loudspeaker that was unplugged: sound goes on at the default; the choice is kept for when it is back.
    const gone = this.output !== "" && named.length > 0 && !named.some((device) => device.deviceId === this.output);
    if (gone) this.onOutput("");
  }

  fill(select, defaultName, devices, chosen) {
    const options = devices.map((device, index) => new Option(device.label || `Device ${index + 1}`, device.deviceId));
    select.replaceChildren(new Option(defaultName, ""), ...options);
    select.value = devices.some((device) => device.deviceId === chosen) ? chosen : "";
  }
}
