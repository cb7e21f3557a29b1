using BackupEngine.Buffers;
using BackupEngine.Diagnostics;
using BackupEngine.Limits;

namespace BackupEngine;

public sealed partial class BackupRepository
{
    private Task<T> RunAsync<T>(string kind, Func<Operation, Task<T>> runAsync) =>
        Operation.RunAsync(kind, _limits?.Buffers ?? BufferAccount.Process, runAsync);

    /// <summary>Waits until the operation may begin.</summary>
    /// <returns>Its share, to be given back at the end; null when nothing is shared.</returns>
    private async ValueTask<ResourceShare?> TakeShareAsync(Operation operation, OperationGate gate, ResourceRequest request, CancellationToken cancellationToken)
    {
        await gate.PassAsync(cancellationToken).ConfigureAwait(false);
        return _limits is null ? null : await operation.WaitAsync(_limits.Budget.TakeAsync(request, cancellationToken)).ConfigureAwait(false);
    }
}
