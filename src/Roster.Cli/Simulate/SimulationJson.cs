using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Roster.V1;

namespace Roster.Cli.Simulate;

/// <summary>Prints what came of a simulation for programs: one JSON document with everything in it.</summary>
internal sealed class SimulationJson(SimulationResult result, IReadOnlyList<Difference> differences)
{
    private const int FlushBytes = 64 * 1024;

    private static readonly JsonWriterOptions Options = new() { Indented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly ArrayBufferWriter<byte> _buffer = new();

    public void Print(TextWriter output)
    {
        using (var json = new Utf8JsonWriter(_buffer, Options))
        {
            json.WriteStartObject();
            WriteHead(json);
            WriteWorkflows(json);
            json.WritePropertyName("records");
            Expectation.OfRecords(result.Fold, result.Definitions.Workflows).WriteTo(json);
            WriteTasks(json, output);
            WriteTimeline(json, output);
            WriteDifferences(json);
            json.WriteEndObject();
            Flush(json, output);
        }

        output.Write('\n');
    }

    private void WriteHead(Utf8JsonWriter json)
    {
        json.WriteString("from", SimulationRun.Iso(result.From));
        json.WriteString("until", SimulationRun.Iso(result.Until));
        json.WriteBoolean("run_out", result.IsRunOut);
        json.WriteString("complete", result.Options.Conduct.ToString().ToLowerInvariant());
        json.WriteStartObject("events");
        json.WriteNumber("applied", result.Counts.Applied);
        json.WriteNumber("duplicate", result.Counts.Duplicates);
        json.WriteNumber("mismatch", result.Counts.Mismatches);
        json.WriteNumber("refused", result.Counts.Refused);
        json.WriteNumber("malformed", result.BadLines);
        json.WriteNumber("early", result.Counts.Early);
        json.WriteNumber("left_out", result.Counts.LeftOut);
        json.WriteEndObject();
        json.WriteNumber("timers_fired", result.Counts.TimersFired);
    }

    private void WriteWorkflows(Utf8JsonWriter json)
    {
        json.WriteStartObject("workflows");
        foreach (var workflow in result.Definitions.Workflows)
        {
            json.WriteStartObject(workflow.Id);
            json.WriteString("display_name", workflow.Definition.DisplayName);
            json.WriteBoolean("on_in_file", workflow.IsOnInFile);
            json.WriteNumber("records_enrolled", result.Fold.Workflow(workflow.Id).RecordsEnrolled);
            foreach (var (name, value) in Expectation.Of(result.Fold.Workflow(workflow.Id)))
            {
                json.WritePropertyName(name);
                value!.WriteTo(json);
            }

            WriteSteps(json, result.Stats[workflow.Id]);
            json.WriteEndObject();
        }

        json.WriteEndObject();
    }

    private static void WriteSteps(Utf8JsonWriter json, WorkflowStats stats)
    {
        json.WriteStartArray("funnel");
        foreach (var step in stats.Steps)
        {
            json.WriteStartObject();
            json.WriteString("step", step.StepId);
            json.WriteString("kind", step.Kind);
            json.WriteNumber("entered", step.Entered);
            json.WriteNumber("waiting", step.Waiting);
            json.WriteNumber("succeeded", step.Succeeded);
            json.WriteNumber("skipped", step.Skipped);
            json.WriteNumber("failed", step.Failed);
            if (step.Branches.Count > 0)
            {
                json.WriteStartObject("branches");
                foreach (var branch in step.Branches)
                {
                    json.WriteNumber(branch.Name, branch.Count);
                }

                json.WriteEndObject();
            }

            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private void WriteTasks(Utf8JsonWriter json, TextWriter output)
    {
        json.WriteStartArray("sent");
        foreach (var entry in result.Tasks)
        {
            json.WriteStartObject();
            json.WriteString("at", SimulationRun.Iso(entry.At.ToDateTimeOffset()));
            json.WriteString("record", Output.RecordName.Of(entry.Ref));
            json.WriteString("workflow", entry.WorkflowId);
            json.WriteNumber("version", entry.Version);
            json.WriteNumber("enrollment", entry.EnrollmentNumber);
            json.WriteString("step", entry.StepId);
            json.WriteString("queue", entry.Name);
            var fields = FixedFields(entry);
            WriteValues(json, "fields", entry.Properties.Take(fields));
            WriteValues(json, "properties", entry.Properties.Skip(fields));
            json.WriteEndObject();
            FlushIfLong(json, output);
        }

        json.WriteEndArray();
    }

    /// <summary>The journal has the fixed fields of a task first, then the record's properties; how many there are says the definition.</summary>
    private int FixedFields(JournalEntry entry) =>
        result.Definitions.FindStep(entry.WorkflowId, entry.Version, entry.StepId)?.Worker?.Fields.Count ?? entry.Properties.Count;

    private static void WriteValues(Utf8JsonWriter json, string name, IEnumerable<PropertyValue> values)
    {
        json.WriteStartObject(name);
        foreach (var value in values)
        {
            json.WritePropertyName(value.Name);
            WriteValue(json, value.Value);
        }

        json.WriteEndObject();
    }

    /// <summary>A value as a file of events spells it.</summary>
    private static void WriteValue(Utf8JsonWriter json, Value value)
    {
        switch (value.KindCase)
        {
            case Value.KindOneofCase.Number:
                json.WriteRawValue(value.Number);
                break;
            case Value.KindOneofCase.Boolean:
                json.WriteBooleanValue(value.Boolean);
                break;
            case Value.KindOneofCase.Options:
                json.WriteStartArray();
                foreach (var option in value.Options.Options)
                {
                    json.WriteStringValue(option);
                }

                json.WriteEndArray();
                break;
            case Value.KindOneofCase.Date or Value.KindOneofCase.Datetime:
                json.WriteStartObject();
                json.WriteString(value.KindCase == Value.KindOneofCase.Date ? "date" : "datetime", Client.Values.Show(value));
                json.WriteEndObject();
                break;
            case Value.KindOneofCase.None:
                json.WriteNullValue();
                break;
            default:
                json.WriteStringValue(Client.Values.Show(value));
                break;
        }
    }

    private void WriteTimeline(Utf8JsonWriter json, TextWriter output)
    {
        json.WriteNumber("timeline_lines", result.Timeline.Count);
        json.WriteStartArray("timeline");
        foreach (var line in result.Timeline.Lines)
        {
            json.WriteStartObject();
            json.WriteString("at", SimulationRun.Iso(line.At));
            json.WriteString("record", line.Record);
            json.WriteString("what", line.What);
            json.WriteString("workflow", line.Workflow);
            json.WriteString("step", line.Step);
            json.WriteString("detail", line.Detail);
            json.WriteEndObject();
            FlushIfLong(json, output);
        }

        json.WriteEndArray();
    }

    private void WriteDifferences(Utf8JsonWriter json)
    {
        json.WriteStartArray("differences");
        foreach (var difference in differences)
        {
            json.WriteStartObject();
            json.WriteString("path", difference.Path);
            json.WriteString("expected", difference.Expected);
            json.WriteString("actual", difference.Actual);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private void FlushIfLong(Utf8JsonWriter json, TextWriter output)
    {
        if (_buffer.WrittenCount + json.BytesPending > FlushBytes)
        {
            Flush(json, output);
        }
    }

    private void Flush(Utf8JsonWriter json, TextWriter output)
    {
        json.Flush();
        output.Write(Encoding.UTF8.GetString(_buffer.WrittenSpan));
        _buffer.ResetWrittenCount();
    }
}
