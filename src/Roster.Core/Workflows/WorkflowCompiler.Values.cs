namespace Roster.Core.Workflows;

/// <content>Where values come from (ACT-06, ACT-07).</content>
public sealed partial class WorkflowCompiler
{
    private CompiledValue? CompileSource(ValueSourceDefinition source, string path)
    {
        switch (source)
        {
            case TextSourceDefinition text:
                return CompileText(text.Text, $"{path}.text");
            case PropertySourceDefinition property:
                return Find(property.Property, $"{path}.property") is { } found ? new PropertyValueSource(found) : null;
            case StepOutputDefinition output:
                return new OutputValueSource(ReadOutput(output, $"{path}.output.step"), output.Name);
            case EventSourceDefinition property:
                _readsEventProperties = true;
                return new EventValueSource(property.Property);
            case NowSourceDefinition now:
                Require(IsWithin(now.OffsetDays, DelayDaysMax), $"{path}.now.offsetDays", "OUT_OF_RANGE", $"{now.OffsetDays}", $"An offset is at most {DelayDaysMax} days.");
                return new NowValueSource(now.OffsetDays);
            case AssociatedSourceDefinition associated:
                return CompileAssociatedValue(associated.DataSource, associated.Property, $"{path}.associated");
            default:
                Error(path, "MISSING_FIELD", string.Empty, "A source is a text, property, output, associated, eventProperty or now.");
                return null;
        }
    }

    private int ReadOutput(StepOutputDefinition output, string path)
    {
        Require(output.Step.Length > 0 && output.Name.Length > 0, path, "MISSING_FIELD", output.Step, "An output is named by step and name.");
        var step = Connection(path, output.Step);
        _readOutputs.Add(step);
        return step;
    }

    /// <summary>
    /// A text with tokens: <c>{{property}}</c>, <c>{{event.name}}</c>, <c>{{step.output}}</c>, <c>{{data_source.property}}</c>, each with a
    /// default after a bar: <c>{{first_name|there}}</c> (ACT-07).
    /// </summary>
    private TextValueSource CompileText(string text, string path)
    {
        var parts = new List<TextPart>();
        var at = 0;
        while (at < text.Length)
        {
            var open = text.IndexOf("{{", at, StringComparison.Ordinal);
            var close = open < 0 ? -1 : text.IndexOf("}}", open, StringComparison.Ordinal);
            if (close < 0)
            {
                parts.Add(new TextPart(text[at..], null));
                break;
            }

            if (open > at)
            {
                parts.Add(new TextPart(text[at..open], null));
            }

            var token = text[(open + 2)..close].Split('|', 2);
            parts.Add(new TextPart(token.Length > 1 ? token[1] : string.Empty, CompileToken(token[0].Trim(), path)));
            at = close + 2;
        }

        return new TextValueSource(parts);
    }

    private CompiledValue? CompileToken(string token, string path)
    {
        if (_type.Find(token) is { } property)
        {
            return new PropertyValueSource(property);
        }

        var dot = token.IndexOf('.', StringComparison.Ordinal);
        if (dot > 0 && token[..dot] == "event")
        {
            _readsEventProperties = true;
            return new EventValueSource(token[(dot + 1)..]);
        }

        if (dot > 0 && _stepIndexes.ContainsKey(token[..dot]))
        {
            return new OutputValueSource(ReadOutput(new StepOutputDefinition(token[..dot], token[(dot + 1)..]), path), token[(dot + 1)..]);
        }

        if (dot > 0 && _dataSources.ContainsKey(token[..dot]))
        {
            return CompileAssociatedValue(token[..dot], token[(dot + 1)..], path);
        }

        Error(path, "UNKNOWN_TOKEN", token, $"Token '{Refusal.Cut(token)}' is no declared property, no event.NAME, no STEP.OUTPUT and no DATA_SOURCE.PROPERTY (ACT-07).");
        return null;
    }
}
