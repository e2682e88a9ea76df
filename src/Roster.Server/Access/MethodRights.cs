using System.Collections.Frozen;
using Grpc.Health.V1;
using Roster.V1;
using Right = Roster.V1.Credential.Types.Right;
using ServiceDescriptor = Google.Protobuf.Reflection.ServiceDescriptor;

namespace Roster.Server.Access;

/// <summary>
/// Which right each method needs (PRV-01). A test asserts that every method of every service is here, so that a new one is not forgotten; a method that
/// is not here is refused to everybody.
/// </summary>
internal static class MethodRights
{
    /// <summary>The services of the contract that need credentials. Health and reflection tell nothing of a tenant, and need none.</summary>
    public static readonly IReadOnlyList<ServiceDescriptor> Guarded =
    [
        IngestReflection.Descriptor.Services[0],
        RecordsReflection.Descriptor.Services[0],
        WorkflowServiceReflection.Descriptor.Services[0],
        EnrollmentsReflection.Descriptor.Services[0],
        ListsReflection.Descriptor.Services[0],
        SequencesReflection.Descriptor.Services[0],
        JournalReflection.Descriptor.Services[0],
        TenantsReflection.Descriptor.Services[0],
        WorkReflection.Descriptor.Services[0],
        OperationsReflection.Descriptor.Services[0],
        AdminReflection.Descriptor.Services[0],
        AccessReflection.Descriptor.Services[0],
    ];

    private static readonly FrozenSet<string> Open = new[]
    {
        HealthReflection.Descriptor.Services[0].FullName, Services.ReflectionAnswers.NameV1, Services.ReflectionAnswers.NameV1Alpha,
    }.ToFrozenSet(StringComparer.Ordinal);

    private static readonly FrozenDictionary<string, Right> ByPath = Table().ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>Whether anybody may call the methods of a service.</summary>
    public static bool IsOpen(string service) => Open.Contains(service);

    /// <summary>The right that a method needs.</summary>
    /// <param name="path">Full name of the method, <c>/package.Service/Method</c>.</param>
    /// <param name="right">The right; <see cref="Right.Unspecified"/> when the caller needs a credential only.</param>
    /// <returns>False when the method is not known here.</returns>
    public static bool TryFind(string path, out Right right) => ByPath.TryGetValue(path, out right);

    private static IEnumerable<KeyValuePair<string, Right>> Table()
    {
        foreach (var service in Guarded)
        {
            foreach (var method in service.Methods)
            {
                yield return KeyValuePair.Create($"/{service.FullName}/{method.Name}", Of(service.Name, method.Name));
            }
        }
    }

    private static Right Of(string service, string method) => (service, method) switch
    {
        ("IngestService", _) => Right.Ingest,
        ("RecordService", "UpsertRecord" or "ChangeAssociation") => Right.Ingest,
        ("RecordService", "DeleteRecord" or "RestoreRecord" or "MergeRecords" or "EraseRecord") => Right.Operate,
        ("WorkflowService", "SaveWorkflow" or "CreateFromTemplate" or "DeleteWorkflow" or "TestWorkflow") => Right.Edit,
        ("WorkflowService", "PublishWorkflow" or "SetWorkflowState" or "MoveEnrollments") => Right.Publish,
        ("EnrollmentService", "Enroll" or "Unenroll") => Right.Operate,
        ("ListService", "SaveList" or "DeleteList") => Right.Edit,
        ("ListService", "AddToList" or "RemoveFromList") => Right.Operate,
        ("SequenceService", "SaveSequence") => Right.Publish,
        ("SequenceService", "DeleteSequence" or "TestSequence") => Right.Edit,
        ("SequenceService", "EnrollInSequence" or "BulkEnrollInSequence" or "UnenrollFromSequence" or "LiftPause" or "EditScheduledEmail") => Right.Operate,
        ("SequenceService", "SaveInbox" or "DeleteInbox") => Right.Admin,
        ("TenantService", "UpdateSettings" or "DeclareObjectType" or "DeclareProperties") => Right.Admin,
        ("TenantService", "SaveWebhookEndpoint" or "RotateWebhookSecret" or "DeleteWebhookEndpoint") => Right.Admin,
        ("WorkService", "SetQueueLimits" or "ListDeadLetters" or "GetDeadLetter" or "ResendDeadLetters" or "DiscardDeadLetters") => Right.Operate,
        ("WorkService", _) => Right.Work,
        ("OperationService", "BulkEnroll" or "BulkUnenroll" or "CancelOperation" or "ResumeOperation") => Right.Operate,
        ("AdminService", _) => Right.Server,
        ("AccessService", "GetCaller") => Right.Unspecified,
        ("AccessService", _) => Right.Admin,
        (_, _) when IsRead(method) => Right.View,
        _ => throw new InvalidOperationException($"{service}.{method} has no right: say which one it needs."),
    };

    private static bool IsRead(string method) => method is "Explain" or "ValidateWorkflow" or "ValidateSequence" or "PreviewEnrollment" or "ReadJournal" or "WaitOperation" or "MapWorkflowIds"
        || method.StartsWith("Get", StringComparison.Ordinal) || method.StartsWith("List", StringComparison.Ordinal) || method.StartsWith("BatchGet", StringComparison.Ordinal);
}
