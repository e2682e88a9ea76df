using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Roster.Client;
using Roster.Client.Hosting;
using Roster.Samples.Client;

// roster serve, in another terminal; then: dotnet run --project samples/clients/dotnet [http://127.0.0.1:7400]
var address = new Uri(args.Length > 0 ? args[0] : "http://127.0.0.1:7400");

var builder = Host.CreateApplicationBuilder();
builder.Services.AddRosterClient(options =>
{
    options.Address = address;
    options.Tenant = "dotnet-example";
});
builder.Services.AddRosterWorker<MailHandler>("mail", options =>
{
    options.Name = "dotnet-example";
    options.Concurrency = 4;
});
builder.Services.AddSingleton<Outbox>();
builder.Services.AddHostedService<SignUps>();
await builder.Build().RunAsync();
