using Roster.Core.Workflows;
using Roster.V1;

namespace Roster.Protocol.Mapping;

/// <content>Steps.</content>
public static partial class WorkflowMapping
{
    private static StepDefinition ToCore(Step step)
    {
        var mapped = step.KindCase switch
        {
            Step.KindOneofCase.Delay => new DelayStepDefinition(step.Id, step.Next, step.Delay.HasAmount ? step.Delay.Amount : null, (DelayUnit)(int)step.Delay.Unit)
            {
                Delay = ToCore(step.Delay),
                MissedNext = step.Delay.MissedNext,
            },
            Step.KindOneofCase.WaitFor => new WaitStepDefinition(step.Id, step.Next, [.. step.WaitFor.AnyOf.Select(ToCore)], ToCore(step.WaitFor.Criteria))
            {
                Lookback = step.WaitFor.Lookback,
                Timeout = ToTimeSpan(step.WaitFor.Timeout),
                TimeoutNext = step.WaitFor.TimeoutNext,
            },
            Step.KindOneofCase.Branch => new BranchStepDefinition(
                step.Id, step.Next, [.. step.Branch.Branches.Select(b => new IfBranchDefinition(b.Name, ToCore(b.Criteria), b.Next))], step.Branch.DefaultNext),
            Step.KindOneofCase.ValueBranch => ToCore(step, step.ValueBranch),
            Step.KindOneofCase.RandomSplit => new SplitStepDefinition(
                step.Id,
                step.Next,
                [.. step.RandomSplit.Paths.Select(p => new SplitPathDefinition(p.Name, p.HasPercent ? p.Percent : null, p.Next))],
                !step.RandomSplit.HasSticky || step.RandomSplit.Sticky),
            Step.KindOneofCase.GoTo => new GoToStepDefinition(step.Id, step.Next, step.GoTo.Step),
            _ => ToAction(step),
        };
        return mapped with
        {
            At = step.At is null ? null : new AnchorOffsetDefinition(step.At.OffsetDays, step.At.TimeOfDay),
            OnFailure = (FailurePolicy)(int)step.OnFailure,
            ErrorNext = step.ErrorNext,
        };
    }

    private static StepDefinition ToAction(Step step) => step.KindCase switch
    {
        Step.KindOneofCase.SetProperty => new SetPropertyStepDefinition(step.Id, step.Next, step.SetProperty.Property, step.SetProperty.Value, step.SetProperty.Clear)
        {
            Mode = (SetMode)(int)step.SetProperty.Mode,
            Source = ToCore(step.SetProperty.Source),
            DataSource = step.SetProperty.DataSource,
        },
        Step.KindOneofCase.Worker => ToCore(step, step.Worker),
        Step.KindOneofCase.EnrollInWorkflow => new OtherWorkflowStepDefinition(step.Id, step.Next, step.EnrollInWorkflow.WorkflowId, true),
        Step.KindOneofCase.UnenrollFromWorkflow => new OtherWorkflowStepDefinition(step.Id, step.Next, step.UnenrollFromWorkflow.WorkflowId, false),
        Step.KindOneofCase.EnrollInSequence => new OtherSequenceStepDefinition(step.Id, step.Next, step.EnrollInSequence.SequenceId, true),
        Step.KindOneofCase.UnenrollFromSequence => new OtherSequenceStepDefinition(step.Id, step.Next, step.UnenrollFromSequence.SequenceId, false),
        Step.KindOneofCase.AddToList => new ListStepDefinition(step.Id, step.Next, step.AddToList.ListId, true),
        Step.KindOneofCase.RemoveFromList => new ListStepDefinition(step.Id, step.Next, step.RemoveFromList.ListId, false),
        Step.KindOneofCase.FormatData => new FormatStepDefinition(
            step.Id,
            step.Next,
            ToCore(step.FormatData.Input),
            [.. step.FormatData.Functions.Select(f => new FormatCallDefinition((FormatFunction)(int)f.Function, f.Argument))],
            step.FormatData.Property),
        Step.KindOneofCase.CreateRecord => new CreateRecordStepDefinition(
            step.Id, step.Next, step.CreateRecord.ObjectType, [.. step.CreateRecord.Properties.Select(p => new AssignmentDefinition(p.Property, ToCore(p.Value)))], step.CreateRecord.Label),
        Step.KindOneofCase.CreateTask => ToCore(step, step.CreateTask),
        Step.KindOneofCase.CreateNote => new CreateNoteStepDefinition(step.Id, step.Next, step.CreateNote.Body),
        Step.KindOneofCase.RotateOwner => new RotateOwnerStepDefinition(
            step.Id, step.Next, [.. step.RotateOwner.Users], step.RotateOwner.Property, step.RotateOwner.OverwriteCurrentOwner),
        Step.KindOneofCase.Associate => new AssociateStepDefinition(step.Id, step.Next, step.Associate.ObjectType, ToCore(step.Associate.RecordId), step.Associate.Label),
        Step.KindOneofCase.Dissociate => new DissociateStepDefinition(step.Id, step.Next, step.Dissociate.ObjectType, ToCore(step.Dissociate.RecordId), step.Dissociate.Label),
        Step.KindOneofCase.DeleteRecord => new DeleteRecordStepDefinition(step.Id, step.Next),
        Step.KindOneofCase.Webhook => ToCore(step, step.Webhook),
        Step.KindOneofCase.SendMessage => ToCore(step, step.SendMessage),
        Step.KindOneofCase.ChangeConsent => ToCore(step, step.ChangeConsent),
        Step.KindOneofCase.CustomCode => ToCore(step, step.CustomCode),
        _ => new IncompleteStepDefinition(step.Id, step.Next),
    };

    private static DelayDefinition ToCore(Delay delay) => new(delay.HasAmount ? delay.Amount : null, (DelayUnit)(int)delay.Unit)
    {
        Date = delay.Date,
        Property = delay.Property is not { } property
            ? null
            : new PropertyDateDefinition(property.Property, property.OffsetDays, property.OffsetHours, !property.HasFollowProperty || property.FollowProperty),
        TimeOfDay = delay.TimeOfDay,
        Weekdays = ToCore(delay.Weekdays),
        TimeZone = delay.TimeZone,
        TimeZoneProperty = delay.TimeZoneProperty,
    };

    private static ValueBranchStepDefinition ToCore(Step step, ValueBranch branch) => new(
        step.Id, step.Next, branch.Property, [.. branch.Cases.Select(c => new ValueCaseDefinition(c.Value, c.Next))], branch.DefaultNext)
    {
        Output = branch.OutputOf.Length == 0 ? null : new StepOutputDefinition(branch.OutputOf, branch.OutputName),
    };

    private static WorkerStepDefinition ToCore(Step step, WorkerAction worker) => new(
        step.Id,
        step.Next,
        worker.Queue,
        [.. worker.Fields.Select(f => KeyValuePair.Create(f.Name, f.Text))],
        [.. worker.Properties],
        !worker.HasWait || worker.Wait,
        ToTimeSpan(worker.Timeout))
    {
        MarketingEmail = worker.MarketingEmail,
        Retry = ToCore(worker.Retry),
        BlockExpiry = ToTimeSpan(worker.BlockExpiry),
        LeaseFor = ToTimeSpan(worker.LeaseFor),
    };

    private static WebhookStepDefinition ToCore(Step step, Webhook webhook) => new(step.Id, step.Next, webhook.Endpoint, (WebhookMethod)(int)webhook.Method, webhook.Path)
    {
        Query = ToCore(webhook.Query),
        Headers = ToCore(webhook.Headers),
        Fields = ToCore(webhook.Fields),
        Properties = [.. webhook.Properties],
        SendsEvent = !webhook.HasSendEvent || webhook.SendEvent,
        Wait = !webhook.HasWait || webhook.Wait,
        Timeout = ToTimeSpan(webhook.Timeout),
        Retry = ToCore(webhook.Retry),
    };

    private static MessageStepDefinition ToCore(Step step, SendMessage message) => new(step.Id, step.Next, (MessageChannel)(int)message.Channel)
    {
        To = [.. message.To],
        DataSource = message.DataSource,
        AddressProperty = message.AddressProperty,
        Subscription = message.Subscription,
        Parts =
        [
            .. new[]
            {
                KeyValuePair.Create("from", message.From), KeyValuePair.Create("reply_to", message.ReplyTo), KeyValuePair.Create("subject", message.Subject),
                KeyValuePair.Create("text", message.Text), KeyValuePair.Create("html", message.Html), KeyValuePair.Create("template", message.Template),
            }.Where(p => p.Value.Length > 0),
        ],
        Fields = ToCore(message.Fields),
        Queue = message.Queue,
        Wait = !message.HasWait || message.Wait,
        Timeout = ToTimeSpan(message.Timeout),
        Retry = ToCore(message.Retry),
        LeaseFor = ToTimeSpan(message.LeaseFor),
    };

    private static ConsentStepDefinition ToCore(Step step, ChangeConsent consent) => new(step.Id, step.Next)
    {
        Subscription = consent.Subscription,
        State = consent.State == ChangeConsent.Types.State.Unspecified ? string.Empty : JournalMapping.ApiName(consent.State.ToString()),
        IsMarketingContact = consent.HasMarketingContact ? consent.MarketingContact : null,
        Campaign = consent.Campaign,
    };

    private static CodeStepDefinition ToCore(Step step, CustomCode code) => new(step.Id, step.Next, code.Queue, code.Language, code.Source)
    {
        Inputs = ToCore(code.Inputs),
        Wait = !code.HasWait || code.Wait,
        Timeout = ToTimeSpan(code.Timeout),
        Retry = ToCore(code.Retry),
        LeaseFor = ToTimeSpan(code.LeaseFor),
    };

    private static KeyValuePair<string, string>[] ToCore(IEnumerable<Field> fields) => [.. fields.Select(f => KeyValuePair.Create(f.Name, f.Text))];

    private static RetryDefinition? ToCore(RetryPolicy? retry) =>
        retry is null ? null : new RetryDefinition(ToTimeSpan(retry.RetryFor), ToTimeSpan(retry.GapFirst), ToTimeSpan(retry.GapMax));

    private static CreateTaskStepDefinition ToCore(Step step, CreateTask task) => new(
        step.Id, step.Next, task.Title, task.Body, task.Due is null ? null : ToCore(task.Due), task.Wait)
    {
        Timeout = ToTimeSpan(task.Timeout),
        TimeoutNext = task.TimeoutNext,
    };

    private static ValueSourceDefinition? ToCore(ValueSource? source) => source?.SourceCase switch
    {
        ValueSource.SourceOneofCase.Text => new TextSourceDefinition(source.Text),
        ValueSource.SourceOneofCase.Property => new PropertySourceDefinition(source.Property),
        ValueSource.SourceOneofCase.Output => new StepOutputDefinition(source.Output.Step, source.Output.Name),
        ValueSource.SourceOneofCase.Associated => new AssociatedSourceDefinition(source.Associated.DataSource, source.Associated.Property),
        ValueSource.SourceOneofCase.EventProperty => new EventSourceDefinition(source.EventProperty),
        ValueSource.SourceOneofCase.Now => new NowSourceDefinition(source.Now.OffsetDays),
        _ => null,
    };
}
