using Roster.Client;
using Roster.Client.Hosting;
using Roster.V1;

namespace Roster.Samples.Client;

/// <summary>Sends the mails of the queue `mail`; here it only says so.</summary>
/// <param name="outbox">What was sent. One per process: a task that comes again, with the same key, is not done twice.</param>
internal sealed class MailHandler(Outbox outbox) : IRosterTaskHandler
{
    public ValueTask<TaskResult> HandleAsync(WorkTask task, CancellationToken cancellationToken)
    {
        var address = Values.Show(task.Properties.FirstOrDefault(property => property.Name == "email")?.Value);
        if (address.Length == 0)
        {
            // Nobody to write to: the enrollment goes on, and its history says that this was skipped.
            return ValueTask.FromResult(TaskResult.Skipped());
        }

        var template = Values.Show(task.Fields.FirstOrDefault(field => field.Name == "template")?.Value);
        if (outbox.TryAdd(task.Key))
        {
            Console.WriteLine($"mail `{template}` to {address}");
        }

        // Later steps can read this output.
        return ValueTask.FromResult(TaskResult.Completed(new PropertyValue { Name = "message_id", Value = Values.Text(task.Key) }));
    }
}
