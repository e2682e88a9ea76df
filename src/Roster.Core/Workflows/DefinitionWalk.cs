using Roster.Core.Schema;

namespace Roster.Core.Workflows;

/// <summary>What a definition refers to by name, found before it is compiled: names that are made on first use, and what must not be deleted.</summary>
public static class DefinitionWalk
{
    /// <summary>Names of event types that triggers, waits and filters look at.</summary>
    public static IEnumerable<string> EventTypes(WorkflowDefinition workflow)
    {
        ArgumentNullException.ThrowIfNull(workflow);
        var awaited = workflow.Steps.Any(s => s is CreateTaskStepDefinition { Wait: true }) ? new[] { StandardEventTypes.TaskCompleted } : [];
        var heard = workflow.Sequence is null ? [] : StandardEventTypes.OfSequences;
        return Triggers(workflow).Select(t => t.EventType).Concat(EventTypes(Filters(workflow))).Concat(awaited).Concat(heard).Distinct();
    }

    /// <summary>Names of event types that criteria look at.</summary>
    public static IEnumerable<string> EventTypes(CriteriaDefinition criteria) => EventTypes(Filters(criteria)).Distinct();

    /// <summary>Names of subscriptions whose consent is looked at.</summary>
    public static IEnumerable<string> Subscriptions(WorkflowDefinition workflow) =>
        Filters(workflow).OfType<ConsentFilterDefinition>().Select(c => c.Subscription).Concat(workflow.Sequence is { } sequence ? [sequence.Subscription] : []).Distinct();

    /// <summary>Names of subscriptions whose consent is looked at.</summary>
    public static IEnumerable<string> Subscriptions(CriteriaDefinition criteria) => Filters(criteria).OfType<ConsentFilterDefinition>().Select(c => c.Subscription).Distinct();

    /// <summary>Ids of lists that a workflow uses: in filters, triggers, suppression and steps.</summary>
    public static IEnumerable<string> Lists(WorkflowDefinition workflow)
    {
        ArgumentNullException.ThrowIfNull(workflow);
        return workflow.SuppressionLists
            .Concat(Filters(workflow).OfType<ListFilterDefinition>().Select(l => l.ListId))
            .Concat(workflow.Steps.OfType<ListStepDefinition>().Select(s => s.ListId))
            .Concat(Triggers(workflow).Where(t => t.EventType is StandardEventTypes.ListJoined or StandardEventTypes.ListLeft).SelectMany(t => Named(t, "list")))
            .Distinct();
    }

    /// <summary>Ids of lists that criteria use.</summary>
    public static IEnumerable<string> Lists(CriteriaDefinition criteria) => Filters(criteria).OfType<ListFilterDefinition>().Select(l => l.ListId).Distinct();

    /// <summary>Ids of other workflows that a workflow names: in filters, kick-out and steps.</summary>
    public static IEnumerable<string> Workflows(WorkflowDefinition workflow)
    {
        ArgumentNullException.ThrowIfNull(workflow);
        return workflow.UnenrollFrom
            .Concat(Filters(workflow).OfType<WorkflowFilterDefinition>().Select(w => w.WorkflowId))
            .Concat(workflow.Steps.OfType<OtherWorkflowStepDefinition>().Select(s => s.WorkflowId))
            .Where(id => id != workflow.Id)
            .Distinct();
    }

    /// <summary>Ids of workflows that criteria name.</summary>
    public static IEnumerable<string> Workflows(CriteriaDefinition criteria) => Filters(criteria).OfType<WorkflowFilterDefinition>().Select(w => w.WorkflowId).Distinct();

    /// <summary>Ids of sequences that steps name (ACT-51).</summary>
    public static IEnumerable<string> Sequences(WorkflowDefinition workflow)
    {
        ArgumentNullException.ThrowIfNull(workflow);
        return workflow.Steps.OfType<OtherSequenceStepDefinition>().Select(s => s.SequenceId).Where(id => id.Length > 0).Distinct();
    }

    /// <summary>Ids of workflows that steps enroll in.</summary>
    public static IReadOnlyList<string> EnrollsIn(WorkflowDefinition workflow)
    {
        ArgumentNullException.ThrowIfNull(workflow);
        return [.. workflow.Steps.OfType<OtherWorkflowStepDefinition>().Where(s => s.Enrolls).Select(s => s.WorkflowId).Distinct()];
    }

    /// <summary>Labels of associations that filters, data sources and steps name.</summary>
    public static IEnumerable<string> Labels(WorkflowDefinition workflow)
    {
        ArgumentNullException.ThrowIfNull(workflow);
        return Filters(workflow).OfType<AssociatedFilterDefinition>().Select(a => a.Label)
            .Concat(workflow.DataSources.Select(d => d.Label))
            .Concat(workflow.Steps.Select(s => s switch
            {
                CreateRecordStepDefinition create => create.Label,
                AssociateStepDefinition link => link.Label,
                _ => string.Empty,
            }))
            .Where(l => l.Length > 0)
            .Distinct();
    }

    /// <summary>Labels of associations that criteria name.</summary>
    public static IEnumerable<string> Labels(CriteriaDefinition criteria) => Filters(criteria).OfType<AssociatedFilterDefinition>().Select(a => a.Label).Where(l => l.Length > 0).Distinct();

    /// <summary>
    /// Properties of tasks, notes and consent that steps write (ACT-24, ACT-42), and the address that a sequence sends to: they are declared by their first use.
    /// </summary>
    public static IEnumerable<(string ObjectType, string Property, Values.PropertyType Type)> TaskProperties(WorkflowDefinition workflow)
    {
        ArgumentNullException.ThrowIfNull(workflow);
        if (workflow.Steps.Any(s => s is CreateTaskStepDefinition))
        {
            yield return (StandardObjectTypes.Task, Schema.TaskProperties.Title, Values.PropertyType.String);
            yield return (StandardObjectTypes.Task, Schema.TaskProperties.Body, Values.PropertyType.String);
            yield return (StandardObjectTypes.Task, Schema.TaskProperties.DueAt, Values.PropertyType.DateTime);
        }

        if (workflow.Sequence is { } sequence)
        {
            yield return (StandardObjectTypes.Task, Schema.TaskProperties.Type, Values.PropertyType.String);
            yield return (StandardObjectTypes.Task, Schema.TaskProperties.Owner, Values.PropertyType.String);
            yield return (workflow.ObjectType, sequence.AddressProperty, Values.PropertyType.String);
        }

        if (workflow.Steps.Any(s => s is CreateNoteStepDefinition))
        {
            yield return (StandardObjectTypes.Note, Schema.TaskProperties.Body, Values.PropertyType.String);
        }

        foreach (var consent in workflow.Steps.OfType<ConsentStepDefinition>())
        {
            if (consent.Subscription.Length > 0)
            {
                yield return (workflow.ObjectType, Consents.PropertyOf(consent.Subscription), Values.PropertyType.String);
            }
            else if (consent.IsMarketingContact is not null)
            {
                yield return (workflow.ObjectType, MessageProperties.MarketingContact, Values.PropertyType.Bool);
            }
            else
            {
                yield return (workflow.ObjectType, MessageProperties.Campaign, Values.PropertyType.String);
            }
        }
    }

    /// <summary>Ids of webhook endpoints that steps call (ACT-60).</summary>
    public static IEnumerable<string> Endpoints(WorkflowDefinition workflow)
    {
        ArgumentNullException.ThrowIfNull(workflow);
        return workflow.Steps.OfType<WebhookStepDefinition>().Select(s => s.Endpoint).Distinct();
    }

    private static IEnumerable<string> Named(EventTriggerDefinition trigger, string property) =>
        trigger.Where.OfType<PropertyFilterDefinition>().Where(f => f.Property == property).SelectMany(f => f.Values);

    private static IEnumerable<EventTriggerDefinition> Triggers(WorkflowDefinition workflow) =>
        (workflow.Start?.Events ?? []).Concat(workflow.Steps.OfType<WaitStepDefinition>().SelectMany(w => w.Events));

    private static IEnumerable<string> EventTypes(IEnumerable<FilterDefinition> filters) => filters.SelectMany(f => f switch
    {
        EventHistoryFilterDefinition history => [history.EventType],
        EventPairFilterDefinition pair => new[] { pair.Happened.EventType, pair.Missing.EventType },
        _ => [],
    });

    private static IEnumerable<FilterDefinition> Filters(WorkflowDefinition workflow)
    {
        ArgumentNullException.ThrowIfNull(workflow);
        var start = workflow.Start;
        CriteriaDefinition?[] own = [start?.Criteria, start?.Anchor?.Criteria, start?.Schedule?.Criteria, workflow.UnenrollWhen];
        return own
            .Concat(start?.ReenrollWhen ?? [])
            .Concat(Triggers(workflow).Select(t => t.OnlyIf))
            .Concat(workflow.Goals.Select(g => g.Criteria))
            .Concat(workflow.Steps.OfType<WaitStepDefinition>().Select(w => w.Criteria))
            .Concat(workflow.Steps.OfType<BranchStepDefinition>().SelectMany(b => b.Branches).Select(b => b.Criteria))
            .OfType<CriteriaDefinition>()
            .SelectMany(Filters);
    }

    private static IEnumerable<FilterDefinition> Filters(CriteriaDefinition criteria)
    {
        ArgumentNullException.ThrowIfNull(criteria);
        return criteria.AnyOf.SelectMany(g => WithNested(g.AllOf));
    }

    private static IEnumerable<FilterDefinition> WithNested(IEnumerable<FilterDefinition> filters) =>
        filters.SelectMany(f => f is AssociatedFilterDefinition associated ? WithNested(associated.AllOf).Prepend(f) : [f]);
}
