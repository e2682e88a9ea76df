using Roster.Core.Values;

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
    /// A text with tokens: <c>{{property}}</c>, <c>{{event.name}}</c>, <c>{{step.output}}</c>, <c>{{data_source.property}}</c> and <c>{{now}}</c>,
    /// each with a format after a colon and a default after a bar: <c>{{first_name:title|there}}</c> (ACT-07).
    /// </summary>
    private TextValueSource CompileText(string text, string path) =>
        new([.. TokenText.Parse(text).Select(part => part.Source is null ? new TextPart(part.Literal, null) : CompileToken(part, path))]);

    private TextPart CompileToken(TokenPart part, string path)
    {
        var (source, type) = FindToken(part.Source!, path);
        var format = part.Format.Length == 0 || source is null ? null : TokenFormat.Parse(part.Format, type);
        Require(
            format is not null || part.Format.Length == 0 || source is null,
            path, "BAD_FORMAT", part.Format, $"'{Refusal.Cut(part.Format)}' is no format for '{Refusal.Cut(part.Source!)}'{(type == PropertyType.None ? string.Empty : $", which is of type {Upper(type)}")} (ACT-07).");
        return new TextPart(part.Literal, source, format);
    }

    /// <summary>What a token reads, and of which type that is; none when it is known at the run only.</summary>
    private (CompiledValue? Source, PropertyType Type) FindToken(string token, string path)
    {
        if (_type.Find(token) is { } property)
        {
            return (new PropertyValueSource(property), property.Type);
        }

        var dot = token.IndexOf('.', StringComparison.Ordinal);
        if (dot > 0 && token[..dot] == "event")
        {
            _readsEventProperties = true;
            return (new EventValueSource(token[(dot + 1)..]), PropertyType.None);
        }

        if (dot > 0 && _stepIndexes.ContainsKey(token[..dot]))
        {
            return (new OutputValueSource(ReadOutput(new StepOutputDefinition(token[..dot], token[(dot + 1)..]), path), token[(dot + 1)..]), PropertyType.None);
        }

        if (dot > 0 && _dataSources.ContainsKey(token[..dot]))
        {
            var associated = CompileAssociatedValue(token[..dot], token[(dot + 1)..], path);
            return (associated, associated?.Property.Type ?? PropertyType.None);
        }

        if (token == "now")
        {
            return (new NowValueSource(0), PropertyType.DateTime);
        }

        Error(path, "UNKNOWN_TOKEN", token, $"Token '{Refusal.Cut(token)}' is no declared property, no event.NAME, no STEP.OUTPUT, no DATA_SOURCE.PROPERTY and not now (ACT-07).");
        return (null, PropertyType.None);
    }
}
