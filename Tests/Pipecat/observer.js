// Runs before the page's own scripts and keeps what its connection says, and when there is sound; changes nothing of either.
window.seen = {connections: [], messages: [], microphone: [], loudspeaker: []};

(() => {
    const LOUD = 0.01;                       // RMS of full scale; speech is ten times as loud
    let context;

    /** Keeps the times, by performance.now(), at which the last 11 ms of a stream were loud. */
    function listen(stream, times) {
        context ??= new AudioContext();
        const ear = new AnalyserNode(context, {fftSize: 512});
        context.createMediaStreamSource(stream).connect(ear);
        const samples = new Float32Array(ear.fftSize);
        setInterval(() => {
            ear.getFloatTimeDomainData(samples);
            if (Math.sqrt(samples.reduce((sum, v) => sum + v * v, 0) / samples.length) > LOUD) times.push(performance.now());
        }, 10);
    }

    const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    navigator.mediaDevices.getUserMedia = async (wish) => {
        const stream = await open(wish);
        if (stream.getAudioTracks().length) listen(stream.clone(), seen.microphone);
        return stream;
    };

    window.RTCPeerConnection = class extends RTCPeerConnection {
        constructor(...configuration) {
            super(...configuration);
            seen.connections.push(this);
            this.addEventListener('track', ({track}) => {
                if (track.kind === 'audio') listen(new MediaStream([track]), seen.loudspeaker);
            });
        }

        createDataChannel(...details) {
            const channel = super.createDataChannel(...details);
            const keep = (from, text) => seen.messages.push({from, at: performance.now(), text});
            channel.addEventListener('message', ({data}) => keep('server', data));
            const send = channel.send.bind(channel);
            channel.send = (text) => {
                keep('client', text);
                send(text);
            };
            return channel;
        }
    };
})();
