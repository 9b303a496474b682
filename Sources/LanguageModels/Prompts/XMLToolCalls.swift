internal import VoiceCore

/// Calls as Nemotron 3 and Qwen3.5 write them, an element for each parameter:
///
///     <tool_call>
///     <function=NAME>
///     <parameter=KEY>
///     VALUE
///     </parameter>
///     </function>
///     </tool_call>
enum XMLToolCalls {
    /// A call, without what stands before and after it.
    static func segments(_ call: ToolCall, _ format: some PromptFormat) -> [PromptSegment] {
        var segments = format.markup("<tool_call>\n<function=") + [.content(call.name), .text(">\n")]
        for (key, value) in call.arguments {
            segments += [.text("<parameter="), .content(key), .text(">\n"), .content(PythonText.value(value))]
            segments.append(.text("\n</parameter>\n"))
        }
        return segments + format.markup("</function>\n</tool_call>")
    }

    /// How models are asked to write calls; the same words in both templates.
    static let instructions = """


        If you choose to call a function ONLY reply in the following format with NO suffix:

        <tool_call>
        <function=example_function_name>
        <parameter=example_parameter_1>
        value_1
        </parameter>
        <parameter=example_parameter_2>
        This is the value for the second parameter
        that can span
        multiple lines
        </parameter>
        </function>
        </tool_call>

        <IMPORTANT>
        Reminder:
        - Function calls MUST follow the specified format: an inner <function=...></function> block must be nested within \
        <tool_call></tool_call> XML tags
        - Required parameters MUST be specified
        - You may provide optional reasoning for your function call in natural language BEFORE the function call, but NOT after
        - If there is no function call available, answer the question like normal with your current knowledge and do not tell \
        the user about function calls
        </IMPORTANT>
        """
}
