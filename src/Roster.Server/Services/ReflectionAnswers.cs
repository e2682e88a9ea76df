using System.Collections.Frozen;
using Google.Protobuf.Reflection;
using Grpc.Core;
using Grpc.Health.V1;
using Grpc.Reflection.V1;
using Roster.Server.Access;

namespace Roster.Server.Services;

/// <summary>What server reflection answers: the files of the services that the server has, and of all that they need.</summary>
internal static class ReflectionAnswers
{
    /// <summary>Name of the reflection service.</summary>
    public const string NameV1 = "grpc.reflection.v1.ServerReflection";

    /// <summary>Its name for older clients.</summary>
    public const string NameV1Alpha = "grpc.reflection.v1alpha.ServerReflection";

    private static readonly FrozenDictionary<string, FileDescriptor> Files = Reach(
        [.. MethodRights.Guarded.Select(service => service.File), HealthReflection.Descriptor, ReflectionReflection.Descriptor, global::Grpc.Reflection.V1Alpha.ReflectionReflection.Descriptor]);

    private static readonly FrozenDictionary<string, FileDescriptor> Symbols =
        Files.Values.SelectMany(file => NamesIn(file).Select(name => KeyValuePair.Create(name, file))).DistinctBy(pair => pair.Key).ToFrozenDictionary(StringComparer.Ordinal);

    private static readonly string[] ServiceNames = [.. Files.Values.SelectMany(file => file.Services).Select(service => service.FullName).Order(StringComparer.Ordinal)];

    /// <summary>Answers a question.</summary>
    public static ServerReflectionResponse Answer(ServerReflectionRequest request)
    {
        var response = new ServerReflectionResponse { ValidHost = request.Host, OriginalRequest = request };
        switch (request.MessageRequestCase)
        {
            case ServerReflectionRequest.MessageRequestOneofCase.FileByFilename:
                SetFile(response, Files.GetValueOrDefault(request.FileByFilename), request.FileByFilename);
                break;
            case ServerReflectionRequest.MessageRequestOneofCase.FileContainingSymbol:
                SetFile(response, Symbols.GetValueOrDefault(request.FileContainingSymbol), request.FileContainingSymbol);
                break;
            case ServerReflectionRequest.MessageRequestOneofCase.ListServices:
                response.ListServicesResponse = new ListServiceResponse { Service = { ServiceNames.Select(name => new ServiceResponse { Name = name }) } };
                break;
            case ServerReflectionRequest.MessageRequestOneofCase.AllExtensionNumbersOfType when IsMessage(request.AllExtensionNumbersOfType):
                // proto3 has no extensions, but for options of files.
                response.AllExtensionNumbersResponse = new ExtensionNumberResponse { BaseTypeName = request.AllExtensionNumbersOfType };
                break;
            case ServerReflectionRequest.MessageRequestOneofCase.AllExtensionNumbersOfType:
                SetError(response, StatusCode.NotFound, $"There is no message `{Cut(request.AllExtensionNumbersOfType)}`.");
                break;
            case ServerReflectionRequest.MessageRequestOneofCase.FileContainingExtension:
                SetError(response, StatusCode.NotFound, "There are no extensions.");
                break;
            default:
                SetError(response, StatusCode.InvalidArgument, "The request asks for nothing.");
                break;
        }

        return response;
    }

    private static void SetFile(ServerReflectionResponse response, FileDescriptor? file, string wanted)
    {
        if (file is null)
        {
            SetError(response, StatusCode.NotFound, $"There is no `{Cut(wanted)}`.");
            return;
        }

        response.FileDescriptorResponse = new FileDescriptorResponse();
        response.FileDescriptorResponse.FileDescriptorProto.Add(file.SerializedData);
        response.FileDescriptorResponse.FileDescriptorProto.AddRange(Reach([file]).Values.Where(needed => needed != file).Select(needed => needed.SerializedData));
    }

    private static void SetError(ServerReflectionResponse response, StatusCode code, string message) =>
        response.ErrorResponse = new ErrorResponse { ErrorCode = (int)code, ErrorMessage = message };

    private static string Cut(string text) => Core.Refusal.Cut(text);

    private static bool IsMessage(string name) => Symbols.TryGetValue(name, out var file) && Messages(file.MessageTypes).Any(message => message.FullName == name);

    /// <summary>Files and all that they import, by name.</summary>
    private static FrozenDictionary<string, FileDescriptor> Reach(IEnumerable<FileDescriptor> roots)
    {
        var found = new Dictionary<string, FileDescriptor>(StringComparer.Ordinal);
        var open = new Queue<FileDescriptor>(roots);
        while (open.TryDequeue(out var file))
        {
            if (found.TryAdd(file.Name, file))
            {
                foreach (var dependency in file.Dependencies)
                {
                    open.Enqueue(dependency);
                }
            }
        }

        return found.ToFrozenDictionary(StringComparer.Ordinal);
    }

    private static IEnumerable<string> NamesIn(FileDescriptor file)
    {
        foreach (var service in file.Services)
        {
            yield return service.FullName;
            foreach (var method in service.Methods)
            {
                yield return method.FullName;
            }
        }

        foreach (var message in Messages(file.MessageTypes))
        {
            yield return message.FullName;
            foreach (var field in message.Fields.InDeclarationOrder())
            {
                yield return field.FullName;
            }

            foreach (var inner in message.EnumTypes)
            {
                yield return inner.FullName;
            }
        }

        foreach (var type in file.EnumTypes)
        {
            yield return type.FullName;
        }
    }

    private static IEnumerable<MessageDescriptor> Messages(IEnumerable<MessageDescriptor> types) => types.SelectMany(type => Messages(type.NestedTypes).Prepend(type));
}
