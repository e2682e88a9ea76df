using Roster.Cli;

return await CommandLine.RunAsync(args, CliConsole.Standard());
