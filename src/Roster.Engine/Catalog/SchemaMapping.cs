using System.Collections.Immutable;
using Roster.Core.Calendars;
using Roster.Core.Schema;
using Roster.Core.Values;
using Roster.Protocol.Mapping;
using Roster.Storage.V1;
using Roster.V1;
using Value = Roster.Core.Values.Value;
using PropertyDefinition = Roster.Core.Schema.PropertyDefinition;
using Settings = Roster.Core.Schema.TenantSettings;
using WireSettings = Roster.V1.TenantSettings;

namespace Roster.Engine.Catalog;

/// <summary>Schemas between Core, the public contract and the store.</summary>
internal static class SchemaMapping
{
    public static TenantSchema FromDocument(SchemaDocument document)
    {
        var types = document.ObjectTypes.Select((type, index) => new ObjectTypeDefinition(
            index + 1,
            type.Name,
            [.. type.Properties.Select(p => new PropertyDefinition(p.Number, p.Name, (Core.Values.PropertyType)(int)p.Type, p.Options, p.Sensitive))]));
        return new TenantSchema(ToCore(document.Settings, Settings.Default), [.. types], [.. document.EventTypes], [.. document.Labels]);
    }

    public static SchemaDocument ToDocument(TenantSchema schema)
    {
        var document = new SchemaDocument { Settings = ToWire(schema.Settings) };
        document.EventTypes.AddRange(schema.EventTypes);
        document.Labels.AddRange(schema.Labels);
        foreach (var type in schema.ObjectTypes)
        {
            var stored = new SchemaDocument.Types.ObjectType { Name = type.Name };
            stored.Properties.AddRange(type.Properties.OrderBy(p => p.Number).Select(p => new SchemaDocument.Types.Property
            {
                Number = p.Number,
                Name = p.Name,
                Type = (V1.PropertyType.Types.Kind)(int)p.Type,
                Options = { p.Options },
                Sensitive = p.IsSensitive,
            }));
            document.ObjectTypes.Add(stored);
        }

        return document;
    }

    public static Tenant ToWire(string tenant, TenantSchema schema)
    {
        var wire = new Tenant { Id = tenant, Settings = ToWire(schema.Settings) };
        wire.ObjectTypes.AddRange(schema.ObjectTypes.Select(ToWire));
        return wire;
    }

    public static ObjectType ToWire(ObjectTypeDefinition type)
    {
        var wire = new ObjectType { Name = type.Name };
        wire.Properties.AddRange(type.Properties.Select(ToWire));
        return wire;
    }

    private static V1.PropertyDefinition ToWire(PropertyDefinition property)
    {
        var wire = new V1.PropertyDefinition { Name = property.Name, Type = (V1.PropertyType.Types.Kind)(int)property.Type, Options = { property.Options } };
        if (property.IsSensitive)
        {
            wire.Sensitive = true;
        }

        return wire;
    }

    /// <summary>Present settings, changed where the request says something.</summary>
    public static Settings ToCore(WireSettings? wire, Settings present) => wire is null
        ? present
        : present with
        {
            DeclareUndeclared = wire.Undeclared switch
            {
                WireSettings.Types.Undeclared.Refuse => false,
                WireSettings.Types.Undeclared.Declare => true,
                _ => present.DeclareUndeclared,
            },
            Upsert = wire.HasUpsert ? wire.Upsert : present.Upsert,
            TimeZone = wire.TimeZone.Length > 0 ? wire.TimeZone : present.TimeZone,
            DedupeIds = Or(wire.DedupeIds, present.DedupeIds),
            DedupeDays = Or(wire.DedupeDays, present.DedupeDays),
            RoundsMax = Or(wire.RoundsMax, present.RoundsMax),
            EnrollmentsPerHourMax = Or(wire.EnrollmentsPerHourMax, present.EnrollmentsPerHourMax),
            StepsPerTurnMax = Or(wire.StepsPerTurnMax, present.StepsPerTurnMax),
            StepRunsPerHourMax = Or(wire.StepRunsPerHourMax, present.StepRunsPerHourMax),
            ActiveEnrollmentsPerRecordMax = Or(wire.ActiveEnrollmentsPerRecordMax, present.ActiveEnrollmentsPerRecordMax),
            EventHistoryDays = Or(wire.EventHistoryDays, present.EventHistoryDays),
            EventHistoryMax = Or(wire.EventHistoryMax, present.EventHistoryMax),
            PropertyHistoryMax = Or(wire.PropertyHistoryMax, present.PropertyHistoryMax),
            FiltersMax = Or(wire.FiltersMax, present.FiltersMax),
            ValuesMax = Or(wire.ValuesMax, present.ValuesMax),
            StepsMax = Or(wire.StepsMax, present.StepsMax),
            IfBranchesMax = Or(wire.IfBranchesMax, present.IfBranchesMax),
            DepthMax = Or(wire.DepthMax, present.DepthMax),
            GoalsMax = Or(wire.GoalsMax, present.GoalsMax),
            WorkflowsMax = Or(wire.WorkflowsMax, present.WorkflowsMax),
            ActiveEnrollmentsMax = wire.NoActiveEnrollmentsMax ? 0 : wire.ActiveEnrollmentsMax == 0 ? present.ActiveEnrollmentsMax : wire.ActiveEnrollmentsMax,
            BusinessDays = wire.BusinessDays.Count == 0 ? present.BusinessDays : ToDays(wire.BusinessDays),
            Holidays = wire.NoHolidays ? [] : wire.Holidays.Count == 0 ? present.Holidays : ToDates(wire.Holidays),
            AssociatedCopiesMax = Or(wire.AssociatedCopiesMax, present.AssociatedCopiesMax),
            AssociationsPerRecordMax = Or(wire.AssociationsPerRecordMax, present.AssociationsPerRecordMax),
            OutputsBytesMax = Or(wire.OutputsBytesMax, present.OutputsBytesMax),
            TurnsPerSecond = wire.HasTurnsPerS ? wire.TurnsPerS : present.TurnsPerSecond,
            CallsPerSecond = wire.HasCallsPerS ? wire.CallsPerS : present.CallsPerSecond,
            RecordsMax = wire.HasRecordsMax ? wire.RecordsMax : present.RecordsMax,
            CodeTimeMaxMs = Or(wire.CodeTimeMaxMs, present.CodeTimeMaxMs),
            CodeMemoryMaxMb = Or(wire.CodeMemoryMaxMb, present.CodeMemoryMaxMb),
            CodeInputsMax = Or(wire.CodeInputsMax, present.CodeInputsMax),
            CodeOutputMax = Or(wire.CodeOutputMax, present.CodeOutputMax),
            WebhookConnectTimeoutMs = Or(wire.WebhookConnectTimeoutMs, present.WebhookConnectTimeoutMs),
            WebhookResponseTimeoutMs = Or(wire.WebhookResponseTimeoutMs, present.WebhookResponseTimeoutMs),
            WebhooksPerSecond = Or(wire.WebhooksPerS, present.WebhooksPerSecond),
        };

    private static Weekdays ToDays(IReadOnlyCollection<Weekday> days)
    {
        var set = WorkflowMapping.ToCore(days);
        return set <= Weekdays.All
            ? set
            : throw RosterException.Invalid("settings.business_days", $"{days.First(d => WorkflowMapping.ToCore([d]) > Weekdays.All)}", "A business day is MONDAY to SUNDAY.");
    }

    private static IReadOnlyList<NodaTime.LocalDate> ToDates(IEnumerable<string> texts) => [.. texts.Select((text, i) =>
        Value.TryParse(text, Core.Values.PropertyType.Date, out var date) && !date.IsUnknown
            ? date.Date
            : throw RosterException.Invalid($"settings.holidays[{i}]", text, $"'{Core.Refusal.Cut(text)}' is no date like 2026-12-25."))];

    private static WireSettings ToWire(Settings settings)
    {
        var wire = ToWireUncapped(settings);
        if (settings.TurnsPerSecond > 0)
        {
            wire.TurnsPerS = settings.TurnsPerSecond;
        }

        if (settings.CallsPerSecond > 0)
        {
            wire.CallsPerS = settings.CallsPerSecond;
        }

        if (settings.RecordsMax > 0)
        {
            wire.RecordsMax = settings.RecordsMax;
        }

        return wire;
    }

    /// <summary>All but the caps that are left out when there is none.</summary>
    private static WireSettings ToWireUncapped(Settings settings) => new()
    {
        Undeclared = settings.DeclareUndeclared ? WireSettings.Types.Undeclared.Declare : WireSettings.Types.Undeclared.Refuse,
        Upsert = settings.Upsert,
        TimeZone = settings.TimeZone,
        DedupeIds = settings.DedupeIds,
        DedupeDays = settings.DedupeDays,
        RoundsMax = settings.RoundsMax,
        EnrollmentsPerHourMax = settings.EnrollmentsPerHourMax,
        StepsPerTurnMax = settings.StepsPerTurnMax,
        StepRunsPerHourMax = settings.StepRunsPerHourMax,
        ActiveEnrollmentsPerRecordMax = settings.ActiveEnrollmentsPerRecordMax,
        EventHistoryDays = settings.EventHistoryDays,
        EventHistoryMax = settings.EventHistoryMax,
        PropertyHistoryMax = settings.PropertyHistoryMax,
        FiltersMax = settings.FiltersMax,
        ValuesMax = settings.ValuesMax,
        StepsMax = settings.StepsMax,
        IfBranchesMax = settings.IfBranchesMax,
        DepthMax = settings.DepthMax,
        GoalsMax = settings.GoalsMax,
        WorkflowsMax = settings.WorkflowsMax,
        ActiveEnrollmentsMax = settings.ActiveEnrollmentsMax,
        BusinessDays = { Enum.GetValues<Weekday>().Where(d => d != Weekday.Unspecified && settings.BusinessDays.HasFlag(WorkflowMapping.ToCore([d]))) },
        Holidays = { settings.Holidays.Select(d => Value.OfDate(d).ToString()) },
        AssociatedCopiesMax = settings.AssociatedCopiesMax,
        AssociationsPerRecordMax = settings.AssociationsPerRecordMax,
        OutputsBytesMax = settings.OutputsBytesMax,
        CodeTimeMaxMs = settings.CodeTimeMaxMs,
        CodeMemoryMaxMb = settings.CodeMemoryMaxMb,
        CodeInputsMax = settings.CodeInputsMax,
        CodeOutputMax = settings.CodeOutputMax,
        WebhookConnectTimeoutMs = settings.WebhookConnectTimeoutMs,
        WebhookResponseTimeoutMs = settings.WebhookResponseTimeoutMs,
        WebhooksPerS = settings.WebhooksPerSecond,
    };

    private static int Or(int wanted, int present) => wanted == 0 ? present : wanted;
}
