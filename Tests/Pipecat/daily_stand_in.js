// In place of Daily's daily-js, which the bundle uses for nothing but microphone and camera, and which downloads a script from
// Daily at every start. Only what the bundle calls, with the browser's own devices.

class Call {
    listeners = new Map();
    tracks = {audio: undefined, video: undefined};

    on(event, listener) {
        this.listeners.set(event, [...this.listeners.get(event) ?? [], listener]);
        return this;
    }

    emit(event, details) {
        for (const listener of this.listeners.get(event) ?? []) listener({action: event, ...details});
    }

    get local() {
        const state = (track) => ({persistentTrack: track, track, state: track ? 'playable' : 'off'});
        return {local: true, session_id: 'local', tracks: {
            audio: state(this.tracks.audio), video: state(this.tracks.video), screenAudio: state(), screenVideo: state()}};
    }

    participants() { return {local: this.local}; }

    async startCamera({startAudioOff, startVideoOff}) {
        if (!startAudioOff) await this.open('audio');
        if (!startVideoOff) await this.open('video');
        return this.setInputDevicesAsync();
    }

    async open(kind) {
        if (this.tracks[kind]) return;
        try {
            const stream = await navigator.mediaDevices.getUserMedia({[kind]: true});
            const [track] = stream.getTracks();
            this.tracks[kind] = track;
            this.emit('track-started', {participant: this.local, track, type: kind});
        } catch (error) {
            this.emit('camera-error', {error: {type: 'unknown', msg: String(error)}});
        }
    }

    close(kind) {
        const track = this.tracks[kind];
        if (!track) return;
        track.stop();
        this.tracks[kind] = undefined;
        this.emit('track-stopped', {participant: this.local, track, type: kind});
    }

    setLocalAudio(on) { on ? this.open('audio') : this.close('audio'); }
    setLocalVideo(on) { on ? this.open('video') : this.close('video'); }
    localAudio() { return Boolean(this.tracks.audio); }
    localVideo() { return Boolean(this.tracks.video); }
    localScreenAudio() { return false; }
    localScreenVideo() { return false; }

    async enumerateDevices() { return {devices: await navigator.mediaDevices.enumerateDevices()}; }

    async setInputDevicesAsync() {
        const {devices} = await this.enumerateDevices();
        const first = (kind) => devices.find((device) => device.kind === kind) ?? {};
        return {camera: first('videoinput'), mic: first('audioinput'), speaker: first('audiooutput')};
    }

    async setOutputDeviceAsync() { return this.setInputDevicesAsync(); }

    isLocalAudioLevelObserverRunning() { return true; }

    async leave() {
        this.close('audio');
        this.close('video');
    }
}

let call;
const Daily = {getCallInstance: () => call, createCallObject: () => call = new Call()};
export {Daily as t};
