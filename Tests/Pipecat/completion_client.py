"""What clients of `serve-llm` see of it: OpenAI's client, Pipecat's service of language models, this program's own client.

The model is the real one, small as it is: what is checked is what a client can rely on, not what it says.
"""

import asyncio
import contextlib
import json
import os
import subprocess
import time
import urllib.request

import openai
from pipecat.frames.frames import (EndFrame, LLMContextFrame, LLMFullResponseEndFrame, LLMFullResponseStartFrame,
                                   LLMTextFrame, MetricsFrame)
from pipecat.metrics.metrics import LLMUsageMetricsData
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.frame_processor import FrameProcessor
from pipecat.services.openai.llm import OpenAILLMService
from pipecat.workers.runner import WorkerRunner

BINARY = os.environ.get("REPARTEE", ".build/release/repartee")
KEY = "a key of the tests"
TINY = os.path.join(os.path.dirname(__file__), "../../Reference/LanguageModels/tiny-thinking.gguf")
SYSTEM = {"role": "system", "content": "You are a helpful voice agent. Your answers are short and have no lists. " * 4}
TOOL = {"type": "function", "function": {"name": "weather", "description": "The weather of a city.", "parameters": {
    "type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}}


@contextlib.contextmanager
def server(*arguments):
    """The real server; yields its address."""
    environment = dict(os.environ, REPARTEE_API_KEY=KEY)
    with subprocess.Popen([BINARY, "serve-llm", "--port", "0", *arguments], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, text=True, env=environment) as process:
        try:
            yield next(word for word in process.stdout.readline().split() if word.startswith("http://"))
        finally:
            process.terminate()
            process.wait(timeout=30)


def metrics(address):
    with urllib.request.urlopen(address + "/metrics", timeout=10) as answer:
        lines = [line.rsplit(" ", 1) for line in answer.read().decode().splitlines() if not line.startswith("#")]
    return {name: float(value) for name, value in lines}


def wait_until(condition, timeout=10):
    """How long it took until the condition held; None if it never did."""
    began = time.monotonic()
    while time.monotonic() - began < timeout:
        if condition():
            return time.monotonic() - began
        time.sleep(0.02)
    return None


def user(text):
    return {"role": "user", "content": text}


def refusal(call, kind):
    """The error of this kind that a call ends with; None without one."""
    try:
        call()
    except kind as error:
        return error
    return None


def openai_client(check, address):
    client = openai.OpenAI(base_url=address + "/v1", api_key=KEY, max_retries=0, timeout=60)
    model = client.models.list().data[0].id
    check("the model has a page of its own", client.models.retrieve(model).id == model, model)

    def create(messages, **options):
        options = {"model": model, "temperature": 0, "max_tokens": 24, **options}
        return client.chat.completions.create(messages=messages, **options)

    messages = [SYSTEM, user("What is the capital of France?")]
    whole = create(messages)
    text = whole.choices[0].message.content
    check("a reply is whole", len(text) > 3 and whole.choices[0].finish_reason in ("stop", "length")
          and whole.choices[0].message.role == "assistant", whole)
    check("its tokens are counted", whole.usage.prompt_tokens > 60 and 0 < whole.usage.completion_tokens <= 24
          and whole.usage.total_tokens == whole.usage.prompt_tokens + whole.usage.completion_tokens, whole.usage)

    chunks = list(create(messages, stream=True, stream_options={"include_usage": True}))
    deltas = [chunk.choices[0].delta for chunk in chunks if chunk.choices]
    check("a stream says the same", "".join(delta.content or "" for delta in deltas) == text, (text, deltas))
    check("its first chunk says who speaks", deltas[0].role == "assistant" and not deltas[0].content, deltas[0])
    reasons = [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices]
    check("only its last choice says why it ends", reasons[-1] == whole.choices[0].finish_reason
          and not any(reasons[:-1]), reasons)
    usage = chunks[-1].usage
    check("the same question again is remembered but for its last token", not chunks[-1].choices
          and usage.prompt_tokens == whole.usage.prompt_tokens
          and usage.prompt_tokens_details.cached_tokens == usage.prompt_tokens - 1, usage)

    following = messages + [{"role": "assistant", "content": text}, user("And of Italy?")]
    second = create(following)
    cached = second.usage.prompt_tokens_details.cached_tokens
    check("the next turn reads only what is new", cached >= whole.usage.prompt_tokens + whole.usage.completion_tokens - 1
          and second.usage.prompt_tokens - cached < 24, second.usage)
    other = create([{"role": "system", "content": "You speak like a pirate, and at great length. " * 8}, user("Who are you?")])
    check("another conversation has another chat", other.usage.prompt_tokens_details.cached_tokens < 16, other.usage)
    third = create(following + [{"role": "assistant", "content": second.choices[0].message.content}, user("And of Spain?")])
    check("it does not disturb the first", third.usage.prompt_tokens_details.cached_tokens
          >= second.usage.prompt_tokens + second.usage.completion_tokens - 1, third.usage)

    words = text.split()
    stop = words[2] if len(words) > 2 else words[-1]
    # The end of one word and the beginning of the next: across the border of tokens.
    across = words[0][-1] + " " + words[1][0]
    for name, ends in (("a word", stop), ("several", ["no such text", stop]), ("parts of two words", across)):
        expected = text[:min(text.index(end) for end in ([ends] if isinstance(ends, str) else ends) if end in text)]
        stopped = create(messages, stop=ends)
        check("%s can end a reply" % name, stopped.choices[0].message.content == expected
              and stopped.choices[0].finish_reason == "stop"
              and 0 < stopped.usage.completion_tokens < whole.usage.completion_tokens, (expected, stopped))
        streamed = create(messages, stop=ends, stream=True)
        check("%s can end a stream, and nothing of it is said" % name,
              "".join(chunk.choices[0].delta.content or "" for chunk in streamed) == expected, expected)

    one = create(messages, max_tokens=1)
    check("one token is one token", one.usage.completion_tokens == 1 and one.choices[0].finish_reason == "length", one)

    warm = {"temperature": 1.2, "top_p": 0.95, "extra_body": {"top_k": 50, "min_p": 0.01, "repetition_penalty": 1.1}}
    said = [create(messages, seed=seed, **warm).choices[0].message.content for seed in (5, 5, 6, 7, 8)]
    check("a seed decides what is said", said[0] == said[1] and len(set(said)) > 2, said)
    free = {create(messages, **warm).choices[0].message.content for _ in range(4)}
    check("without a seed it differs", len(free) > 1, free)

    tools = refusal(lambda: create(messages, tools=[TOOL]), openai.BadRequestError)
    # SmolLM2's template has no tools, but is taken for one that was trained on those of its family.
    check("tools are understood or refused clearly", tools is None or "tools" in str(tools), tools)
    forced = refusal(lambda: create(messages, tools=[TOOL], tool_choice="required"), openai.BadRequestError)
    check("a call that would have to be forced is refused", forced is not None and forced.param == "tool_choice", forced)
    told = create(messages + [
        {"role": "assistant", "content": None, "tool_calls": [
            {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": "{\"city\":\"Oslo\"}"}}]},
        {"role": "tool", "tool_call_id": "c1", "content": "It is raining."}])
    check("the result of a call is answered", told.choices[0].finish_reason in ("stop", "length"), told)
    error = refusal(lambda: create(messages, n=2), openai.BadRequestError)
    check("what cannot be had is refused by name", error is not None and error.param == "n", error)
    error = refusal(lambda: create(messages, frequency_penalty=1), openai.BadRequestError)
    check("a penalty that there is not is refused", error is not None and error.param == "frequency_penalty", error)
    error = refusal(lambda: create(messages, model="gpt-4o"), openai.NotFoundError)
    check("a model that is not there is named, with those that are", error is not None and model in str(error), error)
    error = refusal(lambda: create(messages, extra_body={"chat_template_kwargs": {"enable_thinking": True}}),
                    openai.BadRequestError)
    check("thoughts of a model that has none are refused", error is not None and "think" in str(error), error)
    stranger = openai.OpenAI(base_url=address + "/v1", api_key="wrong", max_retries=0)
    check("a wrong key opens nothing", refusal(stranger.models.list, openai.AuthenticationError) is not None, "")


def leaving(check, address):
    """Clients that leave in the middle of a long reply, streamed or not."""
    client = openai.OpenAI(base_url=address + "/v1", api_key=KEY, max_retries=0)
    model = client.models.list().data[0].id
    question = [SYSTEM, user("Tell me a very long story about a person who went out to see the world.")]
    options = {"model": model, "temperature": 1, "seed": 3, "max_tokens": 1500, "messages": question,
               "extra_body": {"repetition_penalty": 1.05}}
    cancelled = 'voice_llm_replies_total{reason="cancelled"}'
    for number, streams in enumerate((True, False), 1):
        if streams:
            with client.chat.completions.create(stream=True, **options) as stream:
                for _, _ in zip(range(5), stream):
                    pass
        else:
            refusal(lambda: client.with_options(timeout=1).chat.completions.create(**options), openai.APITimeoutError)
        waited = wait_until(lambda: metrics(address).get(cancelled) == number and not metrics(address)["voice_llm_open_sessions"])
        check("leaving %s ends it at once" % ("a stream" if streams else "a whole reply"), waited is not None and waited < 2,
              (waited, metrics(address)))
    # Whoever interrupts asks again at once, and finds what was read.
    with client.chat.completions.create(stream=True, **options) as stream:
        heard = "".join(chunk.choices[0].delta.content or "" for chunk, _ in zip(stream, range(8)))
    again = client.chat.completions.create(**{**options, "max_tokens": 4, "messages": question + [
        {"role": "assistant", "content": heard}, user("Wait.")]})
    check("after an interruption what was heard is remembered", again.usage.prompt_tokens_details.cached_tokens
          > again.usage.prompt_tokens - 24, again.usage)


async def several(check, address):
    """Several replies at once, and more than there are chats."""
    client = openai.AsyncOpenAI(base_url=address + "/v1", api_key=KEY, max_retries=5, timeout=120)
    model = (await client.models.list()).data[0].id

    async def ask(number):
        question = [SYSTEM, user("Count to ten, beginning with %d." % number)]
        return (await client.chat.completions.create(model=model, temperature=0, max_tokens=16,
                                                     messages=question)).choices[0].message.content

    alone = [await ask(number) for number in range(6)]
    together = await asyncio.gather(*(ask(number) for number in range(6)))
    check("replies at the same time are those of each alone", together == alone, (alone, together))


async def pipecat_service(check, address):
    """Pipecat's service of OpenAI, unchanged."""
    heard, usages = [], []

    class Listener(FrameProcessor):
        async def process_frame(self, frame, direction):
            await super().process_frame(frame, direction)
            if isinstance(frame, (LLMTextFrame, LLMFullResponseStartFrame, LLMFullResponseEndFrame)):
                heard.append(frame)
            if isinstance(frame, MetricsFrame):
                usages.extend(data.value for data in frame.data if isinstance(data, LLMUsageMetricsData))
            await self.push_frame(frame, direction)

    client = openai.OpenAI(base_url=address + "/v1", api_key=KEY)
    settings = OpenAILLMService.Settings(model=client.models.list().data[0].id, temperature=0, max_tokens=24)
    service = OpenAILLMService(api_key=KEY, base_url=address + "/v1", settings=settings)
    worker = PipelineWorker(Pipeline([service, Listener()]),
                            params=PipelineParams(enable_metrics=True, enable_usage_metrics=True), enable_rtvi=False)
    runner = WorkerRunner(handle_sigint=False)
    await runner.add_workers(worker)
    await worker.queue_frames([LLMContextFrame(LLMContext([SYSTEM, user("What is the capital of France?")])), EndFrame()])
    await asyncio.wait_for(runner.run(), 60)
    text = "".join(frame.text for frame in heard if isinstance(frame, LLMTextFrame))
    check("Pipecat's service begins, speaks and ends", isinstance(heard[0], LLMFullResponseStartFrame) and len(text) > 3
          and isinstance(heard[-1], LLMFullResponseEndFrame), heard)
    check("Pipecat's service knows what it cost", len(usages) == 1 and usages[0].completion_tokens > 0
          and usages[0].prompt_tokens > 60 and usages[0].cache_read_input_tokens is not None, usages)


def own_client(check, address):
    """The agent's own client."""
    environment = dict(os.environ, NVIDIA_LLM_API_KEY=KEY)
    done = subprocess.run([BINARY, "bench", "llm", "--url", address, "--streams", "1", "2", "--repetitions", "1", "--json"],
                          capture_output=True, text=True, timeout=180, check=False, env=environment)
    rows = json.loads(done.stdout)["results"] if done.returncode == 0 else []
    check("bench llm measures a server", [row["streams"] for row in rows] == [1, 2]
          and all(row["cached_tokens"] > row["new_tokens"] > 0 and row["tokens_per_s"] > 0 for row in rows),
          (rows, done.stderr[-500:]))


def thoughts(check, address):
    """Random weights behind a template with thoughts and tools: what is said makes no sense, where it stands does."""
    client = openai.OpenAI(base_url=address + "/v1", api_key=KEY, max_retries=0)
    options = {"model": "tiny", "messages": [user("Hi")], "seed": 4, "max_tokens": 6, "tools": [TOOL], "stream": True}
    chunks = list(client.chat.completions.create(**options, extra_body={
        "chat_template_kwargs": {"enable_thinking": True}, "thinking_budget_tokens": 8}))
    deltas = [chunk.choices[0].delta.model_dump(exclude_none=True) for chunk in chunks]
    kinds = ["thought" if "reasoning_content" in delta else "text" for delta in deltas if delta.get("content") != "" and delta]
    check("thoughts come before the answer, and are told from it", "thought" in kinds and "text" in kinds
          and kinds == sorted(kinds, reverse=True), deltas)
    plain = client.chat.completions.create(**{**options, "stream": False, "tools": []})
    check("without being asked a model does not think", "reasoning_content" not in plain.choices[0].message.model_dump(), plain)
    taught = client.chat.completions.create(**{**options, "stream": False})
    check("tools are part of the prompt", taught.usage.prompt_tokens > plain.usage.prompt_tokens + 100, (taught, plain))


async def checks(check):
    with server("--threads", "1", "--model", TINY, "--alias", "tiny") as address:
        await asyncio.to_thread(thoughts, check, address)
    # Threads that share their processor wait for each other: one.
    with server("--chats", "4", "--threads", "1") as address:
        await asyncio.to_thread(openai_client, check, address)
        await asyncio.to_thread(leaving, check, address)
        await several(check, address)
        await pipecat_service(check, address)
        await asyncio.to_thread(own_client, check, address)
