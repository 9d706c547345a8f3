/**
 * Stands for the native module @vscode/native-watchdog, which would have to be compiled. It ends an extension host whose
 * server has died even while the host's own thread is busy. Our stop() ends every process of the server, so nothing is lost.
 */
exports.start = () => undefined;
exports.exit = code => process.exit(code ?? 0);
